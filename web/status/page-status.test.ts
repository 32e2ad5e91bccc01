// I12: the user is told live, catching up, repairing, stale, offline, simulated, and a server that is gone.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StatusView } from '../../src/protocol/browser.ts';
import { pageStatus, sourceBadge } from './page-status.ts';

const status: StatusView = {
  state: 'live',
  since: 1_000,
  source: { kind: 'binance', id: 'binance:binance.com', label: 'Binance' },
  symbols: {},
  exchangeTime: 0,
  serverTime: 0,
};
const look = (wish: Partial<StatusView>, isServerLost = false) =>
  pageStatus({
    status: { ...status, ...wish },
    isServerLost,
    lastHeardAt: 9_000,
    symbol: 'BTCUSDT',
  });

describe('pageStatus (I12)', () => {
  it('calls current only a live feed, be it under repair', () => {
    const current = { live: true, repairing: true } as Record<string, boolean>;
    const states: StatusView['state'][] = [
      'connecting',
      'catching-up',
      'live',
      'repairing',
      'stale',
      'offline',
      'no-feed',
    ];
    for (const state of states) {
      assert.equal(look({ state }).isCurrent, current[state] === true, state);
      assert.equal(look({ state }).state, state);
    }
  });

  it('says that the server is gone whatever its last word was, as of that word', () => {
    const shown = look({ state: 'live' }, true);
    assert.equal(shown.state, 'no-server');
    assert.equal(shown.isCurrent, false);
    assert.equal(shown.since, 9_000);
  });

  it('says the state of the symbol in view where it is not simply live', () => {
    assert.equal(look({ symbols: { BTCUSDT: 'catching-up' } }).state, 'catching-up');
    assert.equal(look({ symbols: { ETHUSDT: 'catching-up' } }).state, 'live');
    const joining = { state: 'catching-up', symbols: { ETHUSDT: 'catching-up' } } as const;
    assert.equal(look(joining).state, 'live', 'another that joins');
    assert.equal(
      look({ symbols: { BTCUSDT: 'stale' } }).isCurrent,
      false,
      'its connection is silent',
    );
    assert.equal(look({ state: 'offline', symbols: { BTCUSDT: 'repairing' } }).state, 'offline');
  });

  it('gives the server’s reason, else one of its own', () => {
    assert.equal(look({ state: 'stale', reason: 'why' }).reason, 'why');
    assert.match(look({ state: 'stale' }).reason ?? '', /silent/);
    assert.equal(look({ state: 'live' }).reason, undefined);
  });

  it('is connecting before the first word', () => {
    const shown = pageStatus({
      status: undefined,
      isServerLost: false,
      lastHeardAt: undefined,
      symbol: undefined,
    });
    assert.equal(shown.state, 'connecting');
    assert.equal(shown.isCurrent, false);
  });
});

it('badges what is not the real market of now, and nothing else', () => {
  const of = (kind: StatusView['source']['kind']) =>
    sourceBadge({ ...status, source: { kind, id: kind, label: kind } })?.word;
  assert.equal(of('simulated'), 'SIMULATED');
  assert.equal(of('recording'), 'RECORDING');
  assert.equal(of('binance'), undefined);
});

// A REST that refuses us (a login page, a firewall, a ban of the address) after all was well, and for a while: what is asked meanwhile is not given up
// for good, and the stream does not stand still for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import type { Clock, EpochMs } from '../../src/core/market/time.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import {
  createFakeExchange,
  type FakeExchange,
  type Faults,
} from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { settableClock } from './settable-clock.ts';
import { type WatchOptions, watchFeed } from './watched-feed.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 0, 14, 10);
const JOIN = NOW + 20_000;
const LOGIN_PAGE = { status: 200, headers: {}, body: '<html>Please log in</html>' };
const klines = generateHistory({ seed: 2, to: NOW, days: 3 });
const trades = generateTrades({ seed: 57, from: NOW, to: NOW + 3 * MINUTE, tradesPerSecond: 5 });
const last = trades.at(-1)?.a ?? 0;
/** Is never sent. */
const lost = trades.find(({ T }) => T > JOIN + 15_000)?.a ?? 0;

async function joined(faults: Faults = {}, options: WatchOptions = {}) {
  const exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: ['BTCUSDT', 'ETHUSDT'].map((symbol) => ({
      symbol,
      klines,
      trades: trades.filter(({ T }) => T < JOIN),
    })),
    faults: {
      onFrame: (frame) =>
        frame.text.includes('aggTrade') && frame.text.includes(`"a":${lost},`) ? [] : [frame],
      ...faults,
    },
  });
  const feed = watchFeed(exchange, { historyIntervals: ['1m'], ...options });
  await feed.live();
  return { exchange, feed };
}

const later = (from = JOIN, to = Number.POSITIVE_INFINITY) =>
  trades.filter(({ T }) => T >= from && T < to);

function asked(exchange: FakeExchange, path: string): number {
  return exchange.requests.filter((one) => one.path.endsWith(path)).length;
}

test('I1: a hole that REST refuses to fill is passed over in time, and the stream goes on', async () => {
  const { exchange, feed } = await joined({}, { holeWaitMs: 400 });
  await using _ = exchange;
  await using __ = feed;
  exchange.faults.onRequest = () => LOGIN_PAGE;
  await exchange.playAll({ BTCUSDT: later() });
  await feed.until(() => feed.trades('BTCUSDT').at(-1)?.aggTradeId === last, 'the last trade');
  assert.equal(feed.feed.counts?.().passedHoles, 1);
  const ids = feed.trades('BTCUSDT').map(({ aggTradeId }) => aggTradeId);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(ids.length, trades.length - 1);
});

test('a repair that REST refuses is not said to be impossible: asked for again, it is answered', async () => {
  const { exchange, feed } = await joined();
  await using _ = exchange;
  await using __ = feed;
  await exchange.playAll({ BTCUSDT: later() });
  exchange.advanceTo(NOW + 3 * MINUTE + 200);
  await feed.until(() => feed.trades('BTCUSDT').at(-1)?.aggTradeId === last, 'the last trade');
  const request = {
    type: 'trades',
    symbol: marketSymbol('BTCUSDT'),
    openTime: (NOW + MINUTE) as EpochMs,
  } as const;
  const answers = () =>
    feed.events.flatMap((event) =>
      event.type === 'evidence' && event.evidence.type !== 'kline' ? [event.evidence.type] : [],
    );
  exchange.faults.onRequest = () => LOGIN_PAGE;
  feed.feed.ask(request);
  const before = asked(exchange, 'aggTrades');
  await feed.until(() => asked(exchange, 'aggTrades') > before + 1, 'the questions');
  exchange.faults.onRequest = undefined;
  await feed.until(() => {
    feed.feed.ask(request);
    return answers().length > 0;
  }, 'an answer');
  assert.deepEqual([...new Set(answers())], ['repaired']);
});

test('a symbol that is added while REST refuses us joins when it does not any more', async () => {
  const { exchange, feed } = await joined();
  await using _ = exchange;
  await using __ = feed;
  exchange.faults.onRequest = () => LOGIN_PAGE;
  const before = exchange.requests.length;
  feed.feed.add({ symbol: marketSymbol('ETHUSDT'), resumeFrom: undefined });
  await feed.until(() => exchange.requests.length > before + 10, 'questions that are refused');
  exchange.faults.onRequest = undefined;
  await feed.until(() => feed.trades('ETHUSDT').length > 0, 'ETHUSDT to join');
  assert(!feed.events.some((event) => event.type === 'rejected'));
});

test('refused from the start and told to try on, it says why, and joins when REST serves us', async () => {
  const { exchange, feed } = await refusedFromTheStart({ whenRefused: 'try-on' });
  await using _ = exchange;
  await using __ = feed;
  const reasons = () =>
    feed.events.flatMap((event) => (event.type === 'state' ? [event.reason ?? ''] : []));
  await feed.until(() => reasons().some((reason) => /Please log in/.test(reason)), 'the reason');
  await feed.until(() => asked(exchange, 'time') > 2, 'more questions');
  // Some such pages are JSON.
  exchange.faults.onRequest = () => ({ ...LOGIN_PAGE, body: '{"login":"required"}' });
  const before = asked(exchange, 'time');
  await feed.until(() => asked(exchange, 'time') > before + 1, 'questions after that');
  exchange.faults.onRequest = undefined;
  await feed.live();
  assert(feed.trades().length > 0);
});

/** Stands still: no machine is too slow for the silence of an exchange that stands still, too. What waits for minutes waits for ever. */
function stillClock(): Clock {
  const clock = settableClock(JOIN);
  return {
    now: clock.now,
    sleep: (ms, signal) =>
      ms < MINUTE
        ? clock.sleep(ms, signal)
        : new Promise((resolve) => signal?.addEventListener('abort', () => resolve())),
  };
}

async function refusedFromTheStart(options: WatchOptions) {
  const exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
    faults: { onRequest: () => LOGIN_PAGE },
  });
  return {
    exchange,
    feed: watchFeed(exchange, { clock: stillClock(), historyIntervals: ['1m'], ...options }),
  };
}

// The door: what is well formed passes unchanged, everything else is no message.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { StatusView } from '../../src/protocol/browser.ts';
import { testMinutes } from '../chart/test-rows.ts';
import { parseCandlePage, parseMessage } from './parse-message.ts';

const status: StatusView = {
  state: 'live',
  since: 1,
  source: { kind: 'binance', id: 'binance:binance.com', label: 'Binance' },
  symbols: {},
  exchangeTime: 2,
  serverTime: 3,
};
const candles = testMinutes(0, 2);
const audit = {
  day: 0,
  closed: 5,
  verified: 4,
  repaired: 1,
  differs: 0,
  unverified: 0,
  fromKlines: 0,
};

it('passes each kind of message unchanged', () => {
  const messages = [
    { type: 'hello', version: '1', symbols: ['BTCUSDT'], intervals: ['1m'], status },
    { type: 'snapshot', symbol: 'BTCUSDT', interval: '1m', candles, more: true },
    { type: 'update', symbol: 'BTCUSDT', interval: '1m', candles, eventTime: 5, sentAt: 6 },
    { type: 'status', status },
    { type: 'audit', symbol: 'BTCUSDT', audit },
    { type: 'symbols', symbols: ['BTCUSDT', 'ETHUSDT'] },
    { type: 'pong', sentAt: 1, serverTime: 2 },
    { type: 'error', message: 'no' },
  ];
  for (const message of messages) {
    assert.deepEqual(parseMessage(JSON.stringify(message)), message);
  }
});

it('refuses rows with a missing, extra-typed or empty field', () => {
  for (const bad of [
    [],
    [1],
    candles[0]?.with(1, 5 as never),
    candles[0]?.with(0, null as never),
  ]) {
    const message = { type: 'snapshot', symbol: 'A', interval: '1m', candles: [bad], more: true };
    assert.equal(parseMessage(JSON.stringify(message)), undefined);
  }
});

it('takes unknown trade ids, which are null', () => {
  const row = candles[0]?.with(10, null).with(11, null);
  assert.ok(parseCandlePage({ candles: [row], more: false }));
});

it('refuses another interval, another state, binary frames and broken JSON', () => {
  const message = { type: 'snapshot', symbol: 'A', interval: '7q', candles, more: true };
  assert.equal(parseMessage(JSON.stringify(message)), undefined);
  const odd = { type: 'status', status: { ...status, state: 'fine' } };
  assert.equal(parseMessage(JSON.stringify(odd)), undefined);
  const half = { type: 'audit', symbol: 'A', audit: { ...audit, closed: null } };
  assert.equal(parseMessage(JSON.stringify(half)), undefined);
  assert.equal(parseMessage(new ArrayBuffer(2)), undefined);
  assert.equal(parseMessage('{"type":'), undefined);
});

it('never throws, whatever comes', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      parseMessage(text);
    }),
  );
});

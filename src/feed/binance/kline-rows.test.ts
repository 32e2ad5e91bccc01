import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatDecimal } from '../../core/market/decimal.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import { epochMs } from '../../core/market/time.ts';
import { KLINE_LAG_MS_MAX, readKlines } from './kline-rows.ts';

const symbol = marketSymbol('BTCUSDT');
const row = (minute: number, changes: Readonly<Record<number, unknown>> = {}) =>
  Object.assign(
    [minute * 60_000, '2', '4', '1', '3', '10', minute * 60_000 + 59_999, '25', 7, '4', '9', '0'],
    changes,
  );
const of = (now: number) => ({ symbol, interval: '1m', now: epochMs(now) }) as const;

test('the last row counts as closed only when its window has long been over', () => {
  const rows = [row(1), row(2)];
  const settled = 3 * 60_000 + KLINE_LAG_MS_MAX;
  assert.equal(readKlines(rows, of(settled)).closed.length, 2);
  assert.equal(readKlines(rows, of(settled - 1)).closed.length, 1);
  assert.equal(
    readKlines(rows, of(0)).closed.length,
    1,
    'the one before is followed: it is closed',
  );
  assert.equal(readKlines(rows, of(0)).lastOpenTime, 120_000);
});

test('ids are unknown, but −1 where there was no trade', () => {
  const [traded, empty] = readKlines([row(1), row(2, { 8: 0 }), row(3)], of(0)).closed;
  assert.equal(traded?.firstTradeId, undefined);
  assert.equal(empty?.firstTradeId, -1);
});

test('a row that is no kline is refused and quoted', () => {
  const wrong = [
    { 1: '-1' },
    { 1: 2 },
    { 5: null },
    { 8: -1 },
    { 8: 1.5 },
    { 0: 'x' },
    { 0: -60_000 },
  ];
  for (const changes of wrong) {
    assert.throws(() => readKlines([row(1, changes)], of(0)), /Expected 1m klines of BTCUSDT/);
  }
  assert.throws(() => readKlines([row(2), row(1)], of(0)), /in order/);
  assert.throws(() => readKlines({}, of(0)), /list/);
});

const real = join(import.meta.dirname, '../../../../shared/data/rest/klines_BTCUSDT_1h_2020a.json');
const skip = existsSync(real) || process.env['CI'] === 'true' ? false : `no ${real}`;
test('the exchange’s own rows come out digit for digit', { skip }, () => {
  const { data } = JSON.parse(readFileSync(real, 'utf8'));
  const { closed } = readKlines(data, { symbol, interval: '1h', now: epochMs(Date.UTC(2021, 0)) });
  assert.deepEqual(
    closed.map((candle) => [
      candle.openTime,
      ...[candle.open, candle.high, candle.low, candle.close, candle.volume].map(formatDecimal),
      candle.closeTime,
      formatDecimal(candle.quoteVolume),
      candle.trades,
      ...[candle.takerBuyVolume, candle.takerBuyQuoteVolume].map(formatDecimal),
      '0',
    ]),
    data,
  );
});

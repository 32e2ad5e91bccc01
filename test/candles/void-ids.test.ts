// An id that is used up by no trade: no hole, no candle of its own, no part of any (I1, I2).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawTick } from '../../src/core/market/raw-tick.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { epochMs } from '../../src/core/market/time.ts';
import {
  candleRun,
  newestOf,
  published,
  startTick,
  tradeTick,
  watermarkTick,
} from './candle-run.ts';

const MINUTE = 60_000;
const FROM = Date.UTC(2026, 0, 5, 10);
const symbol = marketSymbol('BTCUSDT');

const trade = (a: number, T: number) =>
  tradeTick('BTCUSDT', { a, p: '100.0', q: '1.0', f: a, l: a, T, m: false });
const nothing = (aggTradeId: number, T: number): RawTick => ({
  type: 'void',
  trade: { symbol, aggTradeId, tradeTime: epochMs(T) },
});

function minutes(...between: readonly RawTick[]) {
  const run = candleRun('BTCUSDT');
  const ticks = [
    startTick('BTCUSDT', FROM, Date.UTC(2017, 7, 17)),
    trade(5, FROM),
    ...between,
    trade(8, FROM + 10),
    watermarkTick('BTCUSDT', FROM + MINUTE, 8),
  ];
  for (const tick of ticks) run.aggregation.apply(tick);
  const [minute] = newestOf(published(run.events), '1m');
  return { trades: minute?.trades, complete: minute?.complete };
}

test('ids without a trade are no hole, however often they come, and count for nothing', () => {
  const voids = [nothing(6, FROM + 1), nothing(7, FROM + 2)];
  assert.deepEqual(minutes(...voids), { trades: 2, complete: true });
  assert.deepEqual(minutes(...voids, ...voids), { trades: 2, complete: true });
});

test('an id that did not come at all is a hole, also before one without a trade', () => {
  assert.deepEqual(minutes(nothing(7, FROM + 2)), { trades: 2, complete: false });
  assert.deepEqual(minutes(nothing(6, FROM + 2)), { trades: 2, complete: false });
});

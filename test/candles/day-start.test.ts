// A start in the first minute of a day: no closed minute of that day tells what its empty seconds are flat at (I2).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decimal } from '../../src/core/market/decimal.ts';
import type { RawTick } from '../../src/core/market/raw-tick.ts';
import {
  candleRun,
  newestOf,
  published,
  startTick,
  tradeTick,
  watermarkTick,
} from './candle-run.ts';

const DAY = Date.UTC(2026, 0, 5);
const ANCHOR = Date.UTC(2017, 7, 17);

function start(): RawTick {
  const tick = startTick('BTCUSDT', DAY, ANCHOR);
  assert(tick.type === 'symbol');
  return { ...tick, start: { ...tick.start, previousClose: decimal('99.5') } };
}

test('the empty seconds before the first trade are flat at yesterday’s close', () => {
  const run = candleRun('BTCUSDT');
  const first = { a: 1, p: '100.0', q: '1.0', f: 1, l: 1, T: DAY + 3_000, m: false };
  run.aggregation.apply(start());
  run.aggregation.apply(tradeTick('BTCUSDT', first));
  run.aggregation.apply(watermarkTick('BTCUSDT', DAY + 60_000, 1));
  const seconds = newestOf(published(run.events), '1s');
  assert.deepEqual(
    seconds.slice(0, 4).map(({ openTime, close, complete }) => [openTime - DAY, close, complete]),
    [
      [0, decimal('99.5'), true],
      [1_000, decimal('99.5'), true],
      [2_000, decimal('99.5'), true],
      [3_000, decimal('100'), true],
    ],
  );
  assert.equal(seconds.length, 60);
});

test('a first minute without trades closes, flat at yesterday’s close', () => {
  const run = candleRun('BTCUSDT');
  run.aggregation.apply(start());
  run.aggregation.apply(watermarkTick('BTCUSDT', DAY + 60_000, 0));
  assert.deepEqual(
    newestOf(published(run.events), '1m').map(({ openTime, close, trades }) => [
      openTime - DAY,
      close,
      trades,
    ]),
    [[0, decimal('99.5'), 0]],
  );
});

// Trade ids that begin anew (a relisting): the aggregation follows where a start says so, and only there (I1).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawTick } from '../../src/core/market/raw-tick.ts';
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
const ANCHOR = Date.UTC(2017, 7, 17);

const trade = (a: number, T: number) =>
  tradeTick('BTCUSDT', { a, p: '100.0', q: '1.0', f: a, l: a, T, m: false });

function foldedAfter(isNewSeries: boolean): number[] {
  const run = candleRun('BTCUSDT');
  const start = startTick('BTCUSDT', FROM + MINUTE, ANCHOR);
  assert(start.type === 'symbol');
  const again: RawTick = isNewSeries ? { ...start, start: { ...start.start, isNewSeries } } : start;
  const ticks = [
    startTick('BTCUSDT', FROM, ANCHOR),
    trade(5_000, FROM),
    watermarkTick('BTCUSDT', FROM + MINUTE, 5_000),
    again,
    trade(0, FROM + MINUTE),
    trade(1, FROM + MINUTE + 1),
    trade(1, FROM + MINUTE + 1),
    watermarkTick('BTCUSDT', FROM + 2 * MINUTE, 1),
  ];
  for (const tick of ticks) run.aggregation.apply(tick);
  return newestOf(published(run.events), '1m').map(({ trades }) => trades);
}

test('lower ids after a start of a new series are folded, each once', () => {
  assert.deepEqual(foldedAfter(true), [1, 2]);
});

test('lower ids after any other start are trades folded before', () => {
  assert.deepEqual(foldedAfter(false), [1, 0]);
});

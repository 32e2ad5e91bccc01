// Faults found by review, each first seen as wrong candles: restarts, rejoins and corrections (I1, I4, I5, I6).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Candle } from '../../src/core/market/candle.ts';
import { closeTimeOf, type Interval } from '../../src/core/market/interval.ts';
import type { RawTick } from '../../src/core/market/raw-tick.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { type EpochMs, epochMs } from '../../src/core/market/time.ts';
import {
  asTruth,
  candleRun,
  liveTicks,
  newestOf,
  published,
  startTick,
  tradeTick,
  watermarkTick,
} from '../candles/candle-run.ts';
import type { AggTrade as WireTrade } from '../fake-exchange/truth.ts';

const SYMBOL = 'BTCUSDT';
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const FROM = Date.UTC(2026, 0, 5, 10);
const ANCHOR = Date.UTC(2017, 7, 17);

const trade = (a: number, T: number, p = '100.00000000'): WireTrade => ({
  a,
  p,
  q: '1.00000000',
  f: a,
  l: a,
  T,
  m: false,
});

function kline(interval: Interval, openTime: number, trades: number): RawTick {
  const price = 10_000_000_000n;
  const candle: Candle = {
    symbol: marketSymbol(SYMBOL),
    interval,
    openTime: epochMs(openTime),
    closeTime: closeTimeOf(interval, epochMs(openTime)),
    open: price,
    high: price,
    low: price,
    close: price,
    volume: BigInt(trades) * 100_000_000n,
    quoteVolume: BigInt(trades) * price,
    trades,
    takerBuyVolume: 0n,
    takerBuyQuoteVolume: 0n,
    firstTradeId: undefined,
    lastTradeId: undefined,
    revision: 0,
    complete: true,
    source: 'klines',
  };
  return { type: 'kline', candle };
}

const seedOf = (run: ReturnType<typeof candleRun>, corrected: readonly Candle[] = []) => ({
  threeDayAnchor: epochMs(ANCHOR),
  minutes: run.candles('1m'),
  days: run.candles('1d'),
  corrected,
  unproven: run
    .candles('1s')
    .filter(({ openTime }) => openTime > (run.candles('1m').at(-1)?.closeTime ?? 0)),
});

test('all records again from their beginning, after a restore from their candles, change nothing', () => {
  const trades = [0, 1, 2, 3].map((minute) => trade(10 + minute, FROM + minute * MINUTE_MS + 5));
  const ticks = liveTicks(SYMBOL, trades, { from: FROM, to: FROM + 4 * MINUTE_MS, anchor: ANCHOR });
  const first = candleRun(SYMBOL);
  first.apply(ticks);
  const second = candleRun(SYMBOL, seedOf(first));
  second.apply(ticks);
  assert.deepEqual(
    second.events.filter(({ type }) => type === 'candle-corrected'),
    [],
  );
  assert.equal(second.aggregation.counts.folded, 0);
});

test('a late trade that its minute held before the restart is not counted again', () => {
  const trades = [
    trade(1, FROM + 5),
    trade(2, FROM + MINUTE_MS + 5),
    trade(3, FROM + 50_000),
    trade(4, FROM + MINUTE_MS + 30_000),
  ];
  const before = candleRun(SYMBOL);
  before.apply([startTick(SYMBOL, FROM, ANCHOR), ...trades.map((each) => tradeTick(SYMBOL, each))]);
  const minute = before.candles('1m')[0];
  assert.deepEqual([minute?.revision, minute?.trades], [1, 2]);
  const after = candleRun(SYMBOL, seedOf(before));
  after.apply([
    startTick(SYMBOL, FROM, ANCHOR),
    ...trades.slice(1).map((each) => tradeTick(SYMBOL, each)),
  ]);
  after.apply([watermarkTick(SYMBOL, FROM + 2 * MINUTE_MS, 4)]);
  const minutes = newestOf([...published(before.events), ...published(after.events)], '1m');
  assert.deepEqual(
    minutes.map(({ trades: n, revision }) => [n, revision]),
    [
      [2, 1],
      [2, 0],
    ],
  );
});

test('a start that does not reach back to the open windows drops them: nothing partial is called complete', () => {
  const run = candleRun(SYMBOL);
  run.apply(liveTicks(SYMBOL, [trade(1, FROM + 5)], { from: FROM, to: FROM, anchor: ANCHOR }));
  const day = FROM - (FROM % DAY_MS) + 2 * DAY_MS;
  run.apply([startTick(SYMBOL, day, ANCHOR)]);
  for (let minute = 0; minute < 5; minute++) run.apply([kline('1m', day + minute * MINUTE_MS, 7)]);
  run.apply([tradeTick(SYMBOL, trade(900, day + 5 * MINUTE_MS + 1))]);
  for (const candle of published(run.events)) {
    assert.ok(candle.openTime >= day, `${candle.interval} of before the outage was published`);
    assert.ok(candle.complete);
  }
  assert.equal(run.candles('5m')[0]?.trades, 35);
});

test('an empty minute after a corrected one is flat at the corrected close, published already or not', () => {
  const run = candleRun(SYMBOL);
  run.apply([
    startTick(SYMBOL, FROM, ANCHOR),
    tradeTick(SYMBOL, trade(1, FROM + 5)),
    watermarkTick(SYMBOL, FROM + MINUTE_MS, 1),
    watermarkTick(SYMBOL, FROM + 2 * MINUTE_MS, 1),
    tradeTick(SYMBOL, trade(2, FROM + 50_000, '105.00000000')),
    watermarkTick(SYMBOL, FROM + 3 * MINUTE_MS, 2),
  ]);
  assert.deepEqual(
    run.candles('1m').map((candle) => [asTruth(candle).close, candle.trades]),
    [
      ['105.00000000', 2],
      ['105.00000000', 0],
      ['105.00000000', 0],
    ],
  );
});

test('a correction after a restart has the revision after the one that was stored', () => {
  const hour = FROM + 60 * MINUTE_MS;
  const before = candleRun(SYMBOL);
  before.apply(
    liveTicks(SYMBOL, [trade(1, FROM + 5), trade(2, hour + 5)], {
      from: FROM,
      to: hour,
      anchor: ANCHOR,
    }),
  );
  before.apply([tradeTick(SYMBOL, trade(3, FROM + 6))]);
  const corrected = published(before.events).filter(({ revision }) => revision > 0);
  assert.equal(before.candles('1h')[0]?.revision, 1);
  const after = candleRun(SYMBOL, seedOf(before, corrected));
  after.apply([
    startTick(SYMBOL, FROM, ANCHOR),
    tradeTick(SYMBOL, trade(2, hour + 5)),
    tradeTick(SYMBOL, trade(4, FROM + 7)),
  ]);
  const again = after.candles('1h').at(-1);
  assert.deepEqual([again?.revision, again?.trades], [2, 3]);
});

test('a 3d window restored on another grid is put together anew from its days', () => {
  const day = FROM - (FROM % DAY_MS);
  const days = [-3, -2, -1].map((offset) => kline('1d', day + offset * DAY_MS, 3));
  const seed = {
    threeDayAnchor: epochMs(day - 3 * DAY_MS - DAY_MS) as EpochMs,
    minutes: [],
    days: days.flatMap((tick) => (tick.type === 'kline' ? [tick.candle] : [])),
    corrected: [],
    unproven: [],
  };
  const run = candleRun(SYMBOL, seed);
  const start = startTick(SYMBOL, day, day - 2 * DAY_MS);
  run.apply([start, kline('1m', day, 1), watermarkTick(SYMBOL, day + DAY_MS, 5)]);
  const threeDays = run.candles('3d').at(-1);
  assert.equal(threeDays?.openTime, day - 2 * DAY_MS);
  assert.equal(threeDays?.trades, 3 + 3 + 1);
});

test('a minute inserted before what is known corrects no longer candle out of a part of its minutes', () => {
  const day = FROM - (FROM % DAY_MS);
  const run = candleRun(SYMBOL);
  run.apply([
    startTick(SYMBOL, day, ANCHOR),
    kline('1d', day - DAY_MS, 9_999),
    kline('1m', day, 1),
    kline('1m', day - 30 * MINUTE_MS, 7),
  ]);
  assert.deepEqual(
    run.events.filter(({ type }) => type === 'candle-corrected'),
    [],
  );
  assert.equal(run.candles('1d')[0]?.trades, 9_999);
});

test('a week or day of which the klines sent are only a part is left to history', () => {
  // 2026-11-01 is a Sunday: the month's days begin on the last day of a week.
  const month = Date.UTC(2026, 10, 1);
  const run = candleRun(SYMBOL);
  run.apply([startTick(SYMBOL, month, ANCHOR)]);
  for (let day = 0; day < 9; day++) run.apply([kline('1d', month + day * DAY_MS, 10)]);
  assert.deepEqual(
    run.candles('1w').map(({ openTime, trades }) => [openTime, trades]),
    [[month + DAY_MS, 70]],
  );
  assert.ok(run.candles('3d').every(({ trades }) => trades === 30));
});

test('a hole before a watermark leaves the minute after it complete', () => {
  const run = candleRun(SYMBOL);
  run.apply([
    startTick(SYMBOL, FROM, ANCHOR),
    tradeTick(SYMBOL, trade(1, FROM + 5)),
    watermarkTick(SYMBOL, FROM + MINUTE_MS, 3),
    tradeTick(SYMBOL, trade(4, FROM + MINUTE_MS + 5)),
    watermarkTick(SYMBOL, FROM + 2 * MINUTE_MS, 4),
  ]);
  assert.deepEqual(
    run.candles('1m').map(({ complete }) => complete),
    [false, true],
  );
});

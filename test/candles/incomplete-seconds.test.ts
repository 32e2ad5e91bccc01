// Seconds that were published without some of their trades, and whose minute is then closed by a kline: they are repaired with it (I1, I6).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AggregationSeed } from '../../src/core/aggregation/aggregation-seed.ts';
import type { RawTick } from '../../src/core/market/raw-tick.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { epochMs } from '../../src/core/market/time.ts';
import type { AggTrade as WireTrade } from '../fake-exchange/truth.ts';
import {
  asTruth,
  type CandleRun,
  candleRun,
  liveTicks,
  tradeOf,
  tradeTick,
  watermarkTick,
} from './candle-run.ts';

const SYMBOL = 'BTCUSDT';
const MINUTE = 60_000;
const FROM = Date.UTC(2026, 0, 5, 10);
const OPEN = FROM + MINUTE;
const ANCHOR = Date.UTC(2017, 7, 17);

const trade = (a: number, T: number, p: string): WireTrade => {
  return { a, p, q: '1.00000000', f: a, l: a, T, m: false };
};
const TRADES = [
  trade(1, FROM + 5_000, '10'),
  trade(2, OPEN + 1_500, '11'),
  trade(3, OPEN + 4_500, '12'),
  trade(4, OPEN + 8_500, '13'),
];

/** All that a process with every trade publishes. */
const truth = candleRun(SYMBOL);
truth.apply(liveTicks(SYMBOL, TRADES, { from: FROM, to: OPEN + MINUTE, anchor: ANCHOR }));

/** The trades but for `lost`, to the middle of the second minute. */
function interrupted(lost: number): CandleRun {
  const run = candleRun(SYMBOL);
  const ticks = liveTicks(SYMBOL, TRADES, { from: FROM, to: OPEN, anchor: ANCHOR });
  run.apply(ticks.filter((tick) => tick.type !== 'aggTrade' || tick.trade.aggTradeId !== lost));
  run.apply([watermarkTick(SYMBOL, OPEN + 10_000, 4)]);
  return run;
}

function seedOf(run: CandleRun): AggregationSeed {
  const seconds = run.candles('1s').filter(({ openTime }) => openTime >= OPEN);
  return {
    threeDayAnchor: epochMs(ANCHOR),
    minutes: run.candles('1m'),
    days: [],
    unproven: seconds,
    corrected: seconds.filter(({ revision }) => revision > 0),
  };
}

function klineTick(): RawTick {
  const minute = truth.candles('1m').at(-1);
  assert(minute !== undefined);
  const ids = { firstTradeId: undefined, lastTradeId: undefined };
  return { type: 'kline', candle: { ...minute, ...ids, source: 'klines' } };
}

function repairTick(): RawTick {
  const trades = TRADES.slice(1).map((each) => tradeOf(SYMBOL, each));
  const symbol = marketSymbol(SYMBOL);
  return {
    type: 'repair',
    repair: { symbol, openTime: epochMs(OPEN), part: 0, parts: 1, trades },
  };
}

const seconds = (run: CandleRun) =>
  run
    .candles('1s')
    .filter(({ openTime }) => openTime >= OPEN)
    .map(asTruth);

test('closed by a kline, a minute whose seconds lack trades is not complete until it is repaired', () => {
  const run = interrupted(3);
  run.apply([klineTick()]);
  assert.equal(run.candles('1m').at(-1)?.complete, false);
  run.apply([repairTick()]);
  assert.deepEqual(seconds(run), seconds(truth));
  const minute = run.candles('1m').at(-1);
  assert.deepEqual([minute?.complete, minute?.revision], [true, 1]);
});

test('the same where a process before published them', () => {
  const before = interrupted(3);
  const run = candleRun(SYMBOL, seedOf(before));
  run.apply([klineTick()]);
  assert.equal(run.candles('1m').at(-1)?.complete, false);
  run.apply([repairTick()]);
  assert.deepEqual(seconds(run), seconds(truth));
  const published = new Map(before.candles('1s').map((each) => [each.openTime, each.revision]));
  for (const { openTime, revision, complete } of run.candles('1s')) {
    assert(complete);
    assert(revision > (published.get(openTime) ?? -1) || published.get(openTime) === undefined);
  }
});

test('closed by a kline, a minute whose seconds are whole is complete', () => {
  const run = interrupted(0);
  run.apply([klineTick()]);
  assert.equal(run.candles('1m').at(-1)?.complete, true);
});

test('a second that a process before had whole is not published anew by one that lacks its trade', () => {
  const before = interrupted(0);
  const run = candleRun(SYMBOL, seedOf(before));
  run.apply([TRADES[1], TRADES[3]].flatMap((each) => (each ? [tradeTick(SYMBOL, each)] : [])));
  run.apply([watermarkTick(SYMBOL, OPEN + 10_000, 4)]);
  const second = OPEN + 4_000;
  assert.deepEqual(
    run.candles('1s').filter(({ openTime }) => openTime === second),
    [],
  );
  assert.equal(before.candles('1s').find(({ openTime }) => openTime === second)?.trades, 1);
});

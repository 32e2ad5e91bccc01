// I2–I5 as properties: whatever the market does, the candles are the truth's, each published once a revision.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../property-seed.ts';
import fc from 'fast-check';
import type { AggregationEvent } from '../../src/core/aggregation/aggregation-event.ts';
import type { Candle } from '../../src/core/market/candle.ts';
import { INTERVALS, type Interval } from '../../src/core/market/interval.ts';
import type { RawTick } from '../../src/core/market/raw-tick.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { epochMs } from '../../src/core/market/time.ts';
import { truthCandles, type AggTrade as WireTrade } from '../fake-exchange/truth.ts';
import {
  asTruth,
  type CandleRun,
  candleRun,
  liveTicks,
  newestOf,
  published,
  tradeOf,
  tradeTick,
} from './candle-run.ts';

const SYMBOL = 'BTCUSDT';
/** Ten minutes before a day, a 3d window, a week (2024-07-01 is a Monday) and a month end at once. */
const FROM = Date.UTC(2024, 5, 30, 23, 50);
const ANCHOR = Date.UTC(2017, 7, 16);

const decimalText = (integerMax: number) =>
  fc
    .tuple(fc.integer({ min: 0, max: integerMax }), fc.integer({ min: 0, max: 99_999_999 }))
    .filter(([integer, fraction]) => integer > 0 || fraction > 0)
    .map(([integer, fraction]) => `${integer}.${String(fraction).padStart(8, '0')}`);

/** Steps between trades in ms: many at one moment, some over seconds, a few over minutes. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 900 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1_000, max: 30_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 400_000 }) },
);

const market = (maxLength = 60): fc.Arbitrary<WireTrade[]> =>
  fc
    .array(
      fc.record({
        step,
        p: fc.oneof(decimalText(10_000_000), decimalText(0), fc.constant('100.00000000')),
        q: fc.oneof(decimalText(1_000), decimalText(999_999_999_999_999)),
        n: fc.integer({ min: 1, max: 5 }),
        m: fc.boolean(),
      }),
      { minLength: 1, maxLength },
    )
    .map((steps) => {
      let T = FROM;
      let f = 1_000;
      return steps.map(({ step: by, p, q, n, m }, index) => {
        T += by;
        const trade = { a: 500 + index, p, q, f, l: f + n - 1, T, m };
        f += n;
        return trade;
      });
    });

const endOf = (trades: readonly WireTrade[]) =>
  Math.ceil(((trades.at(-1)?.T ?? FROM) + 1) / 60_000) * 60_000;

function truthOf(trades: readonly WireTrade[], interval: Interval, to: number) {
  const first = trades[0];
  if (first === undefined) return [];
  const all = truthCandles(trades, interval, { anchor: ANCHOR, to });
  return all.filter(({ closeTime }) => closeTime < to);
}

function assertTruth(candles: (interval: Interval) => Candle[], trades: readonly WireTrade[]) {
  const to = endOf(trades);
  for (const interval of INTERVALS) {
    assert.deepEqual(candles(interval).map(asTruth), truthOf(trades, interval, to), interval);
  }
}

function assertEachRevisionOnce(events: readonly AggregationEvent[]) {
  const revisions = new Map<string, number>();
  for (const candle of published(events)) {
    const key = `${candle.interval}:${candle.openTime}`;
    assert.equal(candle.revision, (revisions.get(key) ?? -1) + 1, `revisions of ${key} in a row`);
    revisions.set(key, candle.revision);
  }
}

const liveOf = (trades: readonly WireTrade[]) =>
  liveTicks(SYMBOL, trades, { from: FROM, to: endOf(trades), anchor: ANCHOR });

test('I2 I4: trades fold to the true candles of all 16 intervals, empty windows included', () => {
  fc.assert(
    fc.property(market(), (trades) => {
      const run = candleRun(SYMBOL);
      run.apply(liveOf(trades));
      assertTruth(run.candles, trades);
      assertEachRevisionOnce(run.events);
    }),
  );
});

test('I2: the live candle with what is closed always holds every trade so far, in each interval once', () => {
  fc.assert(
    fc.property(market(30), (trades) => {
      const run = candleRun(SYMBOL);
      let folded = 0;
      for (const tick of liveOf(trades)) {
        run.apply([tick]);
        if (tick.type !== 'aggTrade') continue;
        folded += tick.trade.lastTradeId - tick.trade.firstTradeId + 1;
        for (const live of run.aggregation.live(INTERVALS)) {
          const closed = run.candles(live.interval).reduce((sum, { trades: n }) => sum + n, 0);
          assert.equal(closed + live.trades, folded, live.interval);
        }
      }
    }),
    { numRuns: 30 },
  );
});

test('I1: a trade that comes again changes nothing', () => {
  fc.assert(
    fc.property(market(), fc.array(fc.tuple(fc.nat(), fc.nat())), (trades, repeats) => {
      const ticks = liveOf(trades);
      const doubled = [...ticks];
      for (const [which, later] of repeats) {
        const trade = trades[which % trades.length];
        if (trade === undefined) continue;
        const tick = tradeTick(SYMBOL, trade);
        const at = doubled.findIndex(
          (each) => each.type === 'aggTrade' && each.trade.aggTradeId === trade.a,
        );
        doubled.splice(at + 1 + (later % (doubled.length - at)), 0, tick);
      }
      const once = candleRun(SYMBOL);
      once.apply(ticks);
      const twice = candleRun(SYMBOL);
      twice.apply(doubled);
      assert.deepEqual(twice.events, once.events);
    }),
  );
});

/**
 * `trades` with some made late: they keep their place by id but carry a time from before, so they
 * belong to a window already over. Its minute had a trade: one the exchange never had is a repair's business.
 */
function delayed(
  trades: readonly WireTrade[],
  delays: readonly (readonly [number, number])[],
): WireTrade[] {
  const late = trades.map((trade) => ({ ...trade }));
  for (const [which, by] of delays) {
    const index = 1 + (which % Math.max(1, late.length - 1));
    const trade = late[index];
    if (trade === undefined) continue;
    const minutes = new Set(trades.slice(0, index).map(({ T }) => Math.floor(T / 60_000)));
    const T = Math.max(FROM, trade.T - by);
    if (minutes.has(Math.floor(T / 60_000)) && trade.T - T < 110_000) trade.T = T;
  }
  return late;
}

test('I5: a late trade corrects every candle over it, up to the month', () => {
  fc.assert(
    fc.property(
      market(),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 300_000 })), { maxLength: 4 }),
      (trades, delays) => {
        const late = delayed(trades, delays);
        const run = candleRun(SYMBOL);
        const original = liveOf(trades);
        const byId = new Map(late.map((trade) => [trade.a, trade]));
        run.apply(
          original.map((tick) => {
            const wire = tick.type === 'aggTrade' ? byId.get(tick.trade.aggTradeId) : undefined;
            return wire === undefined ? tick : tradeTick(SYMBOL, wire);
          }),
        );
        for (const interval of INTERVALS) {
          const truth = new Map(
            truthOf(late, interval, endOf(trades)).map((candle) => [candle.openTime, candle]),
          );
          for (const candle of run.candles(interval)) {
            if (candle.trades === 0) continue;
            assert.deepEqual(asTruth(candle), truth.get(candle.openTime), interval);
          }
        }
        assertEachRevisionOnce(run.events);
      },
    ),
  );
});

function repairTick(openTime: number, trades: readonly WireTrade[]): RawTick {
  const own = trades.filter(({ T }) => T >= openTime && T < openTime + 60_000);
  const next = trades.find(({ T }) => T >= openTime + 60_000);
  return {
    type: 'repair',
    repair: {
      symbol: marketSymbol(SYMBOL),
      openTime: epochMs(openTime),
      part: 0,
      parts: 1,
      trades: own.map((trade) => tradeOf(SYMBOL, trade)),
      ...(next === undefined ? {} : { nextTradeTime: epochMs(next.T) }),
    },
  };
}

function assertHoleKnown(run: CandleRun, minutes: ReadonlySet<number>) {
  const holes = run.events.filter((event) => event.type === 'hole');
  for (const minute of minutes) {
    const named = holes.some((hole) => hole.fromMinute <= minute && minute <= hole.toMinute);
    assert.ok(named, 'a hole names every minute it touches');
    const candle = run.candles('1m').find(({ openTime }) => openTime === minute);
    assert.equal(candle?.complete ?? false, false, 'a minute that lacks trades says so');
  }
}

/** What is published as complete is the truth, also what is flat at a close that a hole may have moved. */
function assertCompleteIsTrue(
  run: CandleRun,
  trades: readonly WireTrade[],
  intervals: readonly ('1s' | '1m')[] = ['1s', '1m'],
) {
  for (const interval of intervals) {
    const truth = new Map(
      truthOf(trades, interval, endOf(trades)).map((candle) => [candle.openTime, candle]),
    );
    for (const candle of run.candles(interval)) {
      if (candle.complete) assert.deepEqual(asTruth(candle), truth.get(candle.openTime), interval);
    }
  }
}

function repairAll(run: CandleRun, trades: readonly WireTrade[], minutes: readonly number[]) {
  const isAscending = (minutes[0] ?? 0) <= (minutes.at(-1) ?? 0);
  for (const minute of minutes) {
    run.apply([repairTick(minute, trades)]);
    // From the first on, for what comes after may be flat at its close.
    if (isAscending) assertCompleteIsTrue(run, trades, ['1m']);
  }
}

test('I1 I5: a hole marks its candles incomplete, and repairs of its minutes end in the truth', () => {
  fc.assert(
    fc.property(market(), fc.nat(), fc.integer({ min: 1, max: 10 }), fc.boolean(), (...drawn) => {
      const [trades, at, length, isBackwards] = drawn;
      fc.pre(trades.length > 2);
      const start = 1 + (at % (trades.length - 2));
      const missing = new Set(trades.slice(start, start + length).map(({ a }) => a));
      fc.pre(!missing.has(trades.at(-1)?.a ?? -1));
      const run = candleRun(SYMBOL);
      run.apply(
        liveOf(trades).filter(
          (tick) => !(tick.type === 'aggTrade' && missing.has(tick.trade.aggTradeId)),
        ),
      );
      const minutes = new Set(
        trades.filter(({ a }) => missing.has(a)).map(({ T }) => Math.floor(T / 60_000) * 60_000),
      );
      assertHoleKnown(run, minutes);
      assertCompleteIsTrue(run, trades);
      const from = Math.min(...minutes);
      const to = endOf(trades);
      const wrong = Array.from(
        { length: (to - from) / 60_000 },
        (_, index) => from + index * 60_000,
      );
      repairAll(run, trades, isBackwards ? wrong.toReversed() : wrong);
      for (const interval of INTERVALS) {
        assert.deepEqual(
          run.candles(interval).map(asTruth),
          truthOf(trades, interval, to),
          interval,
        );
      }
      for (const candle of run.candles('1m')) assert.ok(candle.complete);
      assertEachRevisionOnce(run.events);
    }),
  );
});

test('I2: a repaired minute moves the empty seconds that the next minute begins with', () => {
  const trade = (a: number, p: string, T: number): WireTrade => {
    return { a, p, q: '1', f: a, l: a, T: FROM + T, m: false };
  };
  const trades = [
    trade(500, '1', 0),
    trade(501, '2', 59_000),
    trade(502, '3', 63_000),
    trade(503, '4', 125_000),
  ];
  const run = candleRun(SYMBOL);
  run.apply(
    liveOf(trades).filter((tick) => !(tick.type === 'aggTrade' && tick.trade.aggTradeId === 501)),
  );
  run.apply([repairTick(FROM, trades)]);
  const from = FROM + 58_000;
  assert.deepEqual(
    run
      .candles('1s')
      .map(asTruth)
      .filter(({ openTime }) => openTime >= from && openTime < from + 6_000),
    truthOf(trades, '1s', FROM + 180_000).filter(
      ({ openTime }) => openTime >= from && openTime < from + 6_000,
    ),
  );
});

/** What a process was given before it was killed, and what the next one goes on from. */
function killed(ticks: readonly RawTick[]) {
  const before = candleRun(SYMBOL);
  before.apply(ticks);
  const minutes = before.candles('1m');
  const resume = (minutes.at(-1)?.closeTime ?? FROM - 1) + 1;
  const seed = {
    threeDayAnchor: epochMs(ANCHOR),
    minutes,
    days: before.candles('1d'),
    corrected: [],
    unproven: before.candles('1s').filter(({ openTime }) => openTime >= resume),
  };
  return { before, resume, seed };
}

/** All records again from `resume` on, and then all that was published. */
function goneOn({ before, resume, seed }: ReturnType<typeof killed>, trades: readonly WireTrade[]) {
  const after = candleRun(SYMBOL, seed);
  const last = trades.findLast(({ T }) => T < resume)?.a ?? 499;
  after.apply(
    liveOf(trades).filter(
      (tick) =>
        tick.type === 'symbol' ||
        (tick.type === 'aggTrade' && tick.trade.aggTradeId > last) ||
        (tick.type === 'watermark' && tick.watermark.time > resume),
    ),
  );
  return [...published(before.events), ...published(after.events)];
}

test('I6: killed at any record and gone on from the closed candles, the candles are the same', () => {
  fc.assert(
    fc.property(market(), fc.nat(), (trades, at) => {
      const ticks = liveOf(trades);
      const life = killed(ticks.slice(0, 1 + (at % ticks.length)));
      const all = goneOn(life, trades);
      assertTruth((interval) => newestOf(all, interval), trades);
    }),
  );
});

test('I6: killed while a trade of the open minute was missing, its second is put right all the same', () => {
  fc.assert(
    fc.property(market(), fc.nat(), fc.nat(), (trades, at, which) => {
      const ticks = liveOf(trades);
      const seen = ticks.slice(0, 1 + (at % ticks.length));
      const { resume } = killed(seen);
      const open = seen.flatMap((tick) =>
        tick.type === 'aggTrade' && tick.trade.tradeTime >= resume ? [tick.trade.aggTradeId] : [],
      );
      fc.pre(open.length > 0);
      const lost = open[which % open.length];
      const life = killed(
        seen.filter((tick) => tick.type !== 'aggTrade' || tick.trade.aggTradeId !== lost),
      );
      const all = goneOn(life, trades);
      assertTruth((interval) => newestOf(all, interval), trades);
      const seconds = newestOf(all, '1s');
      assert(seconds.every(({ complete }) => complete));
      assert(seconds.every(({ revision }) => revision <= 1));
    }),
  );
});

test('I4: a minute the exchange left out is a gap, and no trade or later watermark fills it', () => {
  const trades: WireTrade[] = [
    { a: 1, p: '10.00000000', q: '1.00000000', f: 1, l: 1, T: FROM + 5, m: false },
    { a: 2, p: '11.00000000', q: '1.00000000', f: 2, l: 2, T: FROM + 5 * 60_000, m: false },
  ];
  const run = candleRun(SYMBOL);
  run.apply(
    liveTicks(SYMBOL, trades, { from: FROM, to: FROM + 6 * 60_000, anchor: ANCHOR }).filter(
      (tick) =>
        tick.type !== 'watermark' ||
        tick.watermark.time < FROM + 3 * 60_000 ||
        tick.watermark.time > FROM + 5 * 60_000,
    ),
  );
  assert.deepEqual(
    run.candles('1m').map(({ openTime, trades: n }) => [(openTime - FROM) / 60_000, n]),
    [
      [0, 1],
      [1, 0],
      [5, 1],
    ],
  );
});

test('an interval joined in its middle without history is not complete; the next one is', () => {
  const trades: WireTrade[] = [0, 61_000, 121_000].map((T, index) => ({
    a: 10 + index,
    p: '10.00000000',
    q: '1.00000000',
    f: index,
    l: index,
    T: FROM + T,
    m: false,
  }));
  const run = candleRun(SYMBOL);
  run.apply(trades.map((trade) => tradeTick(SYMBOL, trade)));
  assert.deepEqual(
    run.candles('1m').map(({ complete }) => complete),
    [false, true],
  );
});

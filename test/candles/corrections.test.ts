// Corrections as the audit asks for them: a hole repaired, the exchange's digits taken over, also after a restart (I1, I3, I5, I6).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AggregationEvent } from '../../src/core/aggregation/aggregation-event.ts';
import type { AggregationSeed } from '../../src/core/aggregation/aggregation-seed.ts';
import { MINUTES_KEPT } from '../../src/core/aggregation/corrections.ts';
import type { Candle } from '../../src/core/market/candle.ts';
import { INTERVALS } from '../../src/core/market/interval.ts';
import { type RawTick, REPAIR_PART_TRADES_MAX } from '../../src/core/market/raw-tick.ts';
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
  watermarkTick,
} from './candle-run.ts';

const SYMBOL = 'ETHBTC';
const MINUTE_MS = 60_000;
/** A Monday and a month's first day: every window of a day or longer opens here. */
const FROM = Date.UTC(2024, 6, 1);
const ANCHOR = FROM;
const MINUTES = 20;
const END = FROM + MINUTES * MINUTE_MS;

/** One trade every 7 s; digits that the exchange truncates. */
const TRADES: readonly WireTrade[] = Array.from(
  { length: Math.floor((END - FROM) / 7_000) },
  (_, index) => ({
    a: 100 + index,
    p: `0.0345${index % 10}000`,
    q: `${1 + (index % 3)}.2345${index % 7}000`,
    f: 1_000 + 2 * index,
    l: 1_001 + 2 * index,
    T: FROM + index * 7_000,
    m: index % 2 === 0,
  }),
);
const HOLE_MINUTE = FROM + 4 * MINUTE_MS;
const isInHole = ({ T }: WireTrade) => T >= HOLE_MINUTE + 10_000 && T < HOLE_MINUTE + 40_000;

/** The market live, its trades in the hole never come. */
function withHole(): CandleRun {
  const run = candleRun(SYMBOL);
  run.apply(
    liveTicks(SYMBOL, TRADES, { from: FROM, to: END, anchor: ANCHOR }).filter(
      (tick) => tick.type !== 'aggTrade' || !isInHole(wireOf(tick.trade.aggTradeId)),
    ),
  );
  return run;
}

function wireOf(aggTradeId: number): WireTrade {
  const trade = TRADES[aggTradeId - 100];
  assert.ok(trade !== undefined);
  return trade;
}

function repairTicks(openTime: number, partSize = REPAIR_PART_TRADES_MAX): RawTick[] {
  const trades = TRADES.filter(({ T }) => T >= openTime && T < openTime + MINUTE_MS);
  const parts = Math.max(1, Math.ceil(trades.length / partSize));
  return Array.from({ length: parts }, (_, part) => ({
    type: 'repair' as const,
    repair: {
      symbol: marketSymbol(SYMBOL),
      openTime: epochMs(openTime),
      part,
      parts,
      trades: trades
        .slice(part * partSize, (part + 1) * partSize)
        .map((trade) => tradeOf(SYMBOL, trade)),
    },
  }));
}

function assertWhole(candles: readonly Candle[], note: string): void {
  for (const interval of INTERVALS) {
    const truth = truthCandles(TRADES, interval, { from: FROM, to: END, anchor: ANCHOR });
    const closed = newestOf(candles, interval);
    assert.ok(interval === '1s' || closed.every(({ complete }) => complete), `${note} ${interval}`);
    assert.deepEqual(
      closed.map(asTruth),
      truth.filter(({ closeTime }) => closeTime < END),
      `${note} ${interval}`,
    );
  }
}

const corrections = (events: readonly AggregationEvent[]) =>
  events.flatMap((event) => (event.type === 'candle-corrected' ? [event.candle] : []));

function seedOf(run: CandleRun): AggregationSeed {
  return {
    threeDayAnchor: epochMs(ANCHOR),
    minutes: run.candles('1m'),
    days: run.candles('1d'),
    corrected: published(run.events).filter(({ revision }) => revision > 0),
    unproven: [],
  };
}

test('I1: a hole leaves every candle over it incomplete, and its repair makes each of them whole and complete', () => {
  const run = withHole();
  const broken = ['1m', '3m', '5m', '15m'] as const;
  for (const interval of broken) {
    const over = run.candles(interval).filter(({ openTime, closeTime }) => {
      return openTime <= HOLE_MINUTE && closeTime > HOLE_MINUTE;
    });
    assert.deepEqual(
      over.map(({ complete }) => complete),
      [false],
      interval,
    );
  }
  run.apply(repairTicks(HOLE_MINUTE, 2));
  assertWhole(published(run.events), 'repaired');
  const minute = newestOf(corrections(run.events), '1m');
  assert.deepEqual(
    minute.map(({ reason, revision, source }) => [reason, revision, source]),
    [['repair', 1, 'trades']],
  );
  for (const candle of corrections(run.events)) {
    if (candle.interval === '1m' || candle.interval === '1s') continue;
    assert.deepEqual([candle.reason, candle.revision], ['rolled-up-correction', 1]);
  }
  // Asked twice, it changes nothing.
  const before = run.events.length;
  run.apply(repairTicks(HOLE_MINUTE));
  assert.deepEqual(newestOf(corrections(run.events.slice(before)), '1m'), []);
  assert.deepEqual(newestOf(corrections(run.events.slice(before)), '5m'), []);
});

test('I6: a hole repaired after a restart gives the same candles, of every interval', () => {
  const before = withHole();
  const after = candleRun(SYMBOL, seedOf(before));
  after.apply(repairTicks(HOLE_MINUTE));
  const seconds = newestOf([...published(before.events), ...published(after.events)], '1s');
  assert.ok(seconds.every(({ complete }) => complete));
  assertWhole([...published(before.events), ...published(after.events)], 'after a restart');
  // What was open at the restart closes whole, too.
  after.apply([watermarkTick(SYMBOL, END + 40 * MINUTE_MS, TRADES.at(-1)?.a ?? 0)]);
  assert.ok(after.candles('1h').every(({ complete }) => complete));
});

function klineOf(candle: Candle, changes: Partial<Candle>): RawTick {
  return {
    type: 'kline',
    candle: {
      ...candle,
      revision: 0,
      source: 'klines',
      firstTradeId: undefined,
      lastTradeId: undefined,
      reason: 'rounding',
      ...changes,
    },
  };
}

test('I3: the digits of the exchange are taken over by a correction, the longer candles with them', () => {
  const run = candleRun(SYMBOL);
  run.apply(liveTicks(SYMBOL, TRADES, { from: FROM, to: END, anchor: ANCHOR }));
  const [first] = run.candles('1m');
  assert.ok(first !== undefined);
  const quoteVolume = first.quoteVolume - 3n;
  const takerBuyQuoteVolume = first.takerBuyQuoteVolume - 1n;
  const tick = klineOf(first, { quoteVolume, takerBuyQuoteVolume });
  const before = run.events.length;
  run.apply([tick]);
  const corrected = corrections(run.events.slice(before));
  assert.deepEqual(
    corrected.map(({ interval, reason, revision }) => [interval, reason, revision]),
    [
      ['1m', 'rounding', 1],
      ['3m', 'rolled-up-correction', 1],
      ['5m', 'rolled-up-correction', 1],
      ['15m', 'rolled-up-correction', 1],
    ],
  );
  assert.deepEqual(corrected[0], {
    ...first,
    quoteVolume,
    takerBuyQuoteVolume,
    revision: 1,
    reason: 'rounding',
  });
  for (const candle of corrected.slice(1)) {
    const sum = run
      .candles('1m')
      .filter(({ openTime }) => openTime >= candle.openTime && openTime <= candle.closeTime)
      .reduce((total, minute) => total + minute.quoteVolume, 0n);
    assert.deepEqual([candle.quoteVolume, candle.source], [sum, 'trades']);
  }
  run.apply([tick]);
  assert.equal(run.events.length, before + corrected.length, 'asked twice, it changes nothing');
  // The open windows have them, too.
  run.apply([watermarkTick(SYMBOL, FROM + 60 * MINUTE_MS, TRADES.at(-1)?.a ?? 0)]);
  const hour = run.candles('1h')[0]?.quoteVolume;
  const minutes = run.candles('1m').reduce((total, minute) => total + minute.quoteVolume, 0n);
  assert.equal(hour, minutes);
});

test('I3: what differs by more than rounding may make, or in another field, is not taken over', () => {
  const run = candleRun(SYMBOL);
  run.apply(liveTicks(SYMBOL, TRADES, { from: FROM, to: END, anchor: ANCHOR }));
  const [first] = run.candles('1m');
  assert.ok(first !== undefined);
  const before = run.events.length;
  run.apply([
    klineOf(first, { quoteVolume: first.quoteVolume - BigInt(first.trades) }),
    klineOf(first, { quoteVolume: first.quoteVolume - 1n, trades: first.trades + 1 }),
    klineOf(first, { quoteVolume: first.quoteVolume - 1n, close: first.close + 1n }),
    klineOf(first, { openTime: epochMs(END + 10 * MINUTE_MS), quoteVolume: 1n }),
  ]);
  assert.deepEqual(run.events.slice(before), []);
});

test('a repair beyond the reach of corrections is told and changes nothing', () => {
  const run = candleRun(SYMBOL);
  run.apply(liveTicks(SYMBOL, TRADES.slice(0, 1), { from: FROM, to: FROM, anchor: ANCHOR }));
  const later = FROM + (MINUTES_KEPT + 1) * MINUTE_MS;
  const next = { ...wireOf(101), T: later };
  run.apply([tradeTick(SYMBOL, next), watermarkTick(SYMBOL, later + MINUTE_MS, 101)]);
  const before = run.events.length;
  run.apply(repairTicks(FROM));
  const [minute] = run.candles('1m');
  assert.ok(minute !== undefined);
  run.apply([klineOf(minute, { quoteVolume: minute.quoteVolume - 1n })]);
  assert.deepEqual(
    run.events.slice(before).map(({ type }) => type),
    ['out-of-reach', 'out-of-reach'],
  );
});

// I6 I7: an aggregation that goes on in another process, from its written state and its topics' tails, gives the same bytes as one that never stopped.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../property-seed.ts';
import fc from 'fast-check';
import type { Candle } from '../../src/core/market/candle.ts';
import { INTERVALS, type Interval } from '../../src/core/market/interval.ts';
import type { RawTick } from '../../src/core/market/raw-tick.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { epochMs } from '../../src/core/market/time.ts';
import {
  type AggregationStateRecord,
  decodeAggregationState,
  encodeAggregationState,
} from '../../src/protocol/aggregation-state-record.ts';
import { encodeCandle, encodeLiveCandle } from '../../src/protocol/candle-record.ts';
import type { AggTrade as WireTrade } from '../fake-exchange/truth.ts';
import {
  type CandleRun,
  candleRun,
  liveTicks,
  published,
  startTick,
  tradeOf,
} from './candle-run.ts';

const SYMBOL = 'BTCUSDT';
const symbol = marketSymbol(SYMBOL);
/** Ten minutes before a day, a 3d window, a week and a month end at once. */
const FROM = Date.UTC(2024, 5, 30, 23, 50);
const ANCHOR = Date.UTC(2017, 7, 16);

const trades = fc
  .array(
    fc.record({
      step: fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: 0, max: 900 }) },
        { weight: 3, arbitrary: fc.integer({ min: 1_000, max: 30_000 }) },
        { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 200_000 }) },
      ),
      // Some come with a time of before their neighbours'.
      late: fc.oneof(
        { weight: 9, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 130_000 }) },
      ),
      p: fc.integer({ min: 1, max: 9_999_999 }).map((price) => `${price}.12345678`),
      q: fc.integer({ min: 0, max: 999_999_999 }).map((quantity) => `${quantity}.00000001`),
      n: fc.integer({ min: 1, max: 3 }),
      m: fc.boolean(),
    }),
    { minLength: 2, maxLength: 60 },
  )
  .map((steps) => {
    let time = FROM;
    let f = 1_000;
    return steps.map(({ step, late, p, q, n, m }, index): WireTrade => {
      time += step;
      f += n;
      return { a: 500 + index, p, q, f: f - n, l: f - 1, T: Math.max(FROM, time - late), m };
    });
  });

/** What may happen to the records of a market, at a place of them. */
const event = fc.record({
  at: fc.nat(),
  what: fc.constantFrom('drop', 'double', 'repair', 'start', 'kline' as const),
});

function ticksOf(
  wires: readonly WireTrade[],
  events: readonly { readonly at: number; readonly what: string }[],
): RawTick[] {
  const to = Math.ceil((Math.max(...wires.map(({ T }) => T)) + 1) / 60_000) * 60_000;
  const ticks = liveTicks(SYMBOL, wires, { from: FROM, to, anchor: ANCHOR });
  for (const { at, what } of events) {
    const place = 1 + (at % ticks.length);
    const minute = FROM + (at % 5) * 60_000;
    if (what === 'drop') ticks.splice(place, 1);
    else if (what === 'start') ticks.splice(place, 0, startTick(SYMBOL, minute, ANCHOR));
    else if (what === 'repair') ticks.splice(place, 0, repair(minute, wires));
    else if (what === 'kline') ticks.splice(place, 0, kline(minute));
    else ticks.splice(place, 0, ...ticks.slice(Math.max(1, place - 2), place));
  }
  return ticks;
}

function repair(openTime: number, wires: readonly WireTrade[]): RawTick {
  const own = wires.filter(({ T }) => T >= openTime && T < openTime + 60_000);
  const parts = { part: 0, parts: 1, trades: own.map((wire) => tradeOf(SYMBOL, wire)) };
  return { type: 'repair', repair: { symbol, openTime: epochMs(openTime), ...parts } };
}

function kline(openTime: number): RawTick {
  const price = 9_900_000_000n;
  return {
    type: 'kline',
    candle: {
      symbol,
      interval: '1m',
      openTime: epochMs(openTime),
      closeTime: epochMs(openTime + 59_999),
      ...{ open: price, high: price, low: price, close: price },
      ...{ volume: 3n, quoteVolume: 5n, trades: 2, takerBuyVolume: 1n, takerBuyQuoteVolume: 2n },
      ...{ firstTradeId: undefined, lastTradeId: undefined, revision: 0 },
      complete: true,
      source: 'klines',
    },
  };
}

/** As the stage does: through the records' text, and candles out of the topics. */
function takeOver(run: CandleRun, closed: readonly Candle[]): CandleRun {
  const records: AggregationStateRecord[] = [
    { type: 'open', symbol, state: run.aggregation.state() },
    { type: 'rolled', symbol, rolled: run.aggregation.rolledState() },
  ];
  const [open, rolled] = records.map((each) =>
    decodeAggregationState(encodeAggregationState(each)),
  );
  const of = (interval: Interval) => closed.filter((candle) => candle.interval === interval);
  const next = candleRun(SYMBOL);
  assert.ok(open?.type === 'open' && rolled?.type === 'rolled');
  next.aggregation.resume(open.state, rolled.rolled, {
    seconds: of('1s'),
    minutes: of('1m'),
    days: of('1d'),
  });
  return next;
}

test('I6 I7: taken over at any records, the candles are those of one that never stopped', () => {
  fc.assert(
    fc.property(
      trades,
      fc.array(event, { maxLength: 5 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
      (wires, events, cuts) => {
        const ticks = ticksOf(wires, events);
        const whole = candleRun(SYMBOL);
        const cutAt = new Set(cuts.map((cut) => cut % ticks.length));
        let part = candleRun(SYMBOL);
        const closed: Candle[] = [];
        for (const [index, tick] of ticks.entries()) {
          if (cutAt.has(index)) {
            closed.push(...published(part.events));
            part = takeOver(part, closed);
          }
          whole.apply([tick]);
          part.apply([tick]);
          assert.deepEqual(
            part.aggregation.live(INTERVALS).map(encodeLiveCandle),
            whole.aggregation.live(INTERVALS).map(encodeLiveCandle),
          );
        }
        closed.push(...published(part.events));
        assert.deepEqual(closed.map(encodeCandle), published(whole.events).map(encodeCandle));
      },
    ),
    { numRuns: 200 },
  );
});

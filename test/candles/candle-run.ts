// Runs records of `raw_ticks` through the aggregation and collects what it published: what the candle proofs share.
import type { AggregationEvent } from '../../src/core/aggregation/aggregation-event.ts';
import type { AggregationSeed } from '../../src/core/aggregation/aggregation-seed.ts';
import { SymbolAggregation } from '../../src/core/aggregation/symbol-aggregation.ts';
import type { AggTrade } from '../../src/core/market/agg-trade.ts';
import type { Candle } from '../../src/core/market/candle.ts';
import type { Interval } from '../../src/core/market/interval.ts';
import type { RawTick } from '../../src/core/market/raw-tick.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { type EpochMs, epochMs } from '../../src/core/market/time.ts';
import { aggTradeEventSchema } from '../../src/protocol/agg-trade-record.ts';
import { candleJson } from '../../src/protocol/candle-record.ts';
import type { TruthCandle, AggTrade as WireTrade } from '../fake-exchange/truth.ts';

export interface CandleRun {
  readonly aggregation: SymbolAggregation;
  readonly events: AggregationEvent[];
  apply(ticks: Iterable<RawTick>): void;
  /** The highest revision of each candle of `interval`, ascending. */
  candles(interval: Interval): Candle[];
}

export function candleRun(symbol: string, seed?: AggregationSeed): CandleRun {
  const events: AggregationEvent[] = [];
  const aggregation = new SymbolAggregation(marketSymbol(symbol), (event) => events.push(event));
  if (seed !== undefined) aggregation.restore(seed);
  return {
    aggregation,
    events,
    apply: (ticks) => {
      for (const tick of ticks) aggregation.apply(tick);
    },
    candles: (interval) => newestOf(published(events), interval),
  };
}

export function published(events: readonly AggregationEvent[]): Candle[] {
  return events.flatMap((event) =>
    event.type === 'candle-closed' || event.type === 'candle-corrected' ? [event.candle] : [],
  );
}

export function newestOf(candles: Iterable<Candle>, interval: Interval): Candle[] {
  const newest = new Map<EpochMs, Candle>();
  for (const candle of candles) {
    if (candle.interval !== interval) continue;
    const held = newest.get(candle.openTime);
    if (held === undefined || candle.revision > held.revision) newest.set(candle.openTime, candle);
  }
  return [...newest.values()].sort((a, b) => a.openTime - b.openTime);
}

export function tradeOf(symbol: string, wire: WireTrade): AggTrade {
  const { a, p, q, f, l, T, m } = wire;
  return aggTradeEventSchema.parse({ e: 'aggTrade', E: T, s: symbol, a, p, q, f, l, T, m });
}

export function tradeTick(symbol: string, wire: WireTrade): RawTick {
  return { type: 'aggTrade', trade: tradeOf(symbol, wire) };
}

export function watermarkTick(symbol: string, time: number, aggTradeId: number): RawTick {
  return {
    type: 'watermark',
    watermark: { symbol: marketSymbol(symbol), time: epochMs(time), aggTradeId },
  };
}

export function startTick(symbol: string, time: number, anchor: number): RawTick {
  return {
    type: 'symbol',
    start: {
      symbol: marketSymbol(symbol),
      time: epochMs(time),
      threeDayAnchor: epochMs(anchor),
      minutesFrom: epochMs(time),
      daysFrom: epochMs(time),
    },
  };
}

/** The numbers of a candle as the truth writes them; unknown ids are left out. */
export function asTruth(candle: Candle): TruthCandle {
  const json = candleJson(candle);
  const {
    symbol: _s,
    interval: _i,
    revision: _r,
    complete: _c,
    source: _o,
    reason: _n,
    ...rest
  } = json;
  return rest as unknown as TruthCandle;
}

/**
 * The records a live feed would write for `trades` (in id order): a start, each trade, and at each
 * minute's end the watermark that says the minute exists.
 */
export function liveTicks(
  symbol: string,
  trades: readonly WireTrade[],
  options: { readonly from: number; readonly to: number; readonly anchor: number },
): RawTick[] {
  const ticks: RawTick[] = [startTick(symbol, options.from, options.anchor)];
  let minuteEnd = options.from + 60_000;
  let last = (trades[0]?.a ?? 0) - 1;
  for (const trade of trades) {
    while (trade.T >= minuteEnd) {
      ticks.push(watermarkTick(symbol, minuteEnd, last));
      minuteEnd += 60_000;
    }
    ticks.push(tradeTick(symbol, trade));
    last = trade.a;
  }
  for (; minuteEnd <= options.to; minuteEnd += 60_000) {
    ticks.push(watermarkTick(symbol, minuteEnd, last));
  }
  return ticks;
}

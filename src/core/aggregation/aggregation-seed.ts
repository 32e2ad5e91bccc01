// What an aggregation starts from, and what it counts: data only.
import type { Candle } from '../market/candle.ts';
import type { EpochMs } from '../market/time.ts';

/** What an aggregation goes on from after a restart: closed candles, ascending. */
export interface AggregationSeed {
  readonly threeDayAnchor: EpochMs;
  readonly minutes: readonly Candle[];
  readonly days: readonly Candle[];
  /** 1s candles after the last of `minutes`: its process has not seen their minute's end, they are folded once more. */
  readonly unproven: readonly Candle[];
  /** Candles of any interval whose revision is above 0, within the reach of corrections. */
  readonly corrected: readonly Candle[];
}

export interface AggregationCounts {
  /** Trades folded, and trades dropped: seen before, or inside a minute taken from klines. */
  folded: number;
  duplicates: number;
  covered: number;
}

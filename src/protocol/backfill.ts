// A back-fill asked for at /api/v1/backfills: its limits, and how it stands. Cheap for the browser to import.
import type { Interval } from '../core/market/interval.ts';
import type { DurationMs } from '../core/market/time.ts';

/** Windows in one back-fill: 69 days of 1m. More is refused: it is asked for in parts, or fetched by `wickstream backfill`. */
export const BACKFILL_WINDOWS_MAX = 100_000;

/**
 * What closed more recently is left to the stream: its candles, folded from trades, must not find a
 * kline of the same revision in their place.
 */
export const BACKFILL_LAG_MS: DurationMs = 600_000;

export interface BackfillView {
  readonly id: string;
  readonly symbol: string;
  readonly interval: Interval;
  /** Inclusive, ms. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Whatever the end, what was fetched stays. */
  readonly state: 'running' | 'done' | 'cancelled' | 'failed';
  /** Fetched and stored. */
  readonly candles: number;
  /** Missing windows looked for so far, and in all; `done` with fewer candles: the market itself has none for the rest. */
  readonly windows: number;
  readonly windowsTotal: number;
  /** Why it failed. */
  readonly reason?: string;
}

// Rows to the chart's points: missing windows become empty slots, so that an outage is seen. Pure. Seconds only here.
import { type Interval, nextOpenTime } from '../../src/core/market/interval.ts';
import { type EpochMs, epochMs } from '../../src/core/market/time.ts';
import type { CandleRow } from '../../src/protocol/browser.ts';

/** Empty slots drawn for one gap: a longer one is drawn this wide, its label says how long it is. */
export const GAP_SLOTS_MAX = 60;

/** A place on the time axis: `row` undefined is an empty slot of a gap. Times in seconds, as the chart wants them. */
export interface CandlePoint {
  readonly seconds: number;
  readonly row: CandleRow | undefined;
}

/** Windows the exchange left out. Seconds of the candles on both sides. */
export interface Gap {
  readonly afterSeconds: number;
  readonly beforeSeconds: number;
  /** From the first missing window's start to the end of the last. */
  readonly durationMs: number;
}

export interface CandlePoints {
  readonly points: readonly CandlePoint[];
  readonly gaps: readonly Gap[];
}

/** Points of ascending rows, with an empty slot for each missing window between two of them. */
export function candlePoints(rows: readonly CandleRow[], interval: Interval): CandlePoints {
  const points: CandlePoint[] = [];
  const gaps: Gap[] = [];
  let before: CandleRow | undefined;
  for (const row of rows) {
    if (before !== undefined) {
      const missing = gapBetween(before, row, interval);
      if (missing !== undefined) {
        gaps.push(missing.gap);
        for (const openTime of missing.slots) points.push(emptySlot(openTime));
      }
    }
    points.push({ seconds: toSeconds(row[0]), row });
    before = row;
  }
  return { points, gaps };
}

/** The missing windows between two neighbours; undefined where there are none. */
export function gapBetween(
  before: CandleRow,
  after: CandleRow,
  interval: Interval,
): { readonly gap: Gap; readonly slots: readonly number[] } | undefined {
  const start = nextOpenTime(interval, epochMs(before[0]));
  if (after[0] <= start) return undefined;
  const slots: number[] = [];
  let openTime: EpochMs = start;
  while (openTime < after[0] && slots.length < GAP_SLOTS_MAX) {
    slots.push(openTime);
    openTime = nextOpenTime(interval, openTime);
  }
  const gap = {
    afterSeconds: toSeconds(before[0]),
    beforeSeconds: toSeconds(after[0]),
    durationMs: after[0] - start,
  };
  return { gap, slots };
}

export function emptySlot(openTime: number): CandlePoint {
  return { seconds: toSeconds(openTime), row: undefined };
}

export function toSeconds(ms: number): number {
  return ms / 1_000;
}

export function toMs(seconds: number): number {
  return seconds * 1_000;
}

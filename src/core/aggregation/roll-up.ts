// Longer candles from shorter closed ones: 3m–1d from 1m, 3d, 1w and 1M from 1d. Decides nothing about time: it is told how far the market is.
import type { Candle } from '../market/candle.ts';
import {
  type Calendar,
  closeTimeOf,
  type Interval,
  nextOpenTime,
  openTimeOf,
} from '../market/interval.ts';
import type { EpochMs } from '../market/time.ts';
import type { RollUpState } from './aggregation-state.ts';
import { mergeCandles, widen } from './merge-candles.ts';

export const FROM_MINUTES = [
  '3m',
  '5m',
  '15m',
  '30m',
  '1h',
  '2h',
  '4h',
  '6h',
  '8h',
  '12h',
  '1d',
] as const satisfies readonly Interval[];

export const FROM_DAYS = ['3d', '1w', '1M'] as const satisfies readonly Interval[];

export function isFromDays(interval: Interval): interval is (typeof FROM_DAYS)[number] {
  return (FROM_DAYS as readonly Interval[]).includes(interval);
}

/** One longer interval's open window. */
export class RollUp {
  readonly interval: Interval;
  private openTime: EpochMs | undefined;
  private merged: Candle | undefined;

  constructor(interval: Interval) {
    this.interval = interval;
  }

  /** Takes a closed part. Its window's end is `closedBy`'s business. */
  add(part: Candle, calendar: Calendar): void {
    const openTime = openTimeOf(this.interval, part.openTime, calendar);
    this.merged =
      this.merged !== undefined && this.openTime === openTime
        ? mergeCandles(this.merged, part)
        : widen(part, this.interval, openTime);
    this.openTime = openTime;
  }

  /** The window, if it is over at `time`; it is then no longer held. `knownFrom`: windows that open earlier lack parts: not complete, and none at all where the parts are klines. */
  closedBy(time: EpochMs, knownFrom: EpochMs): Candle | undefined {
    if (this.merged === undefined || this.openTime === undefined) return undefined;
    if (nextOpenTime(this.interval, this.openTime) > time) return undefined;
    const closed = asKnown(this.merged, knownFrom);
    this.merged = undefined;
    // The exchange's own kline of this window is history's to bring: a part of its days or minutes is no candle.
    const isPartOfKlines = closed.openTime < knownFrom && closed.source === 'klines';
    return isPartOfKlines ? undefined : closed;
  }

  /** Makes `openTime` the open window and `parts`, ascending, all its closed parts. */
  replace(openTime: EpochMs, parts: Iterable<Candle>): void {
    this.merged = mergeAll(parts, this.interval, openTime);
    this.openTime = openTime;
  }

  /** Forgets the open window: it is neither published nor added to. */
  drop(): void {
    this.merged = undefined;
    this.openTime = undefined;
  }

  /** Undefined where no part is held. */
  state(): RollUpState | undefined {
    return this.merged === undefined ? undefined : { interval: this.interval, merged: this.merged };
  }

  /** Takes its own of `states`. */
  resume(states: readonly RollUpState[]): void {
    this.merged = states.find(({ interval }) => interval === this.interval)?.merged;
    this.openTime = this.merged?.openTime;
  }

  /** The open window as it is with `live`, the open part, which may be its first. */
  live(live: Candle, calendar: Calendar, knownFrom: EpochMs): Candle {
    const openTime = openTimeOf(this.interval, live.openTime, calendar);
    const whole =
      this.merged !== undefined && this.openTime === openTime
        ? mergeCandles(this.merged, live)
        : widen(live, this.interval, openTime);
    return asKnown(whole, knownFrom);
  }
}

/** All `parts` of the window that opens at `openTime`, ascending, as one candle; undefined where there are none. */
export function mergeAll(
  parts: Iterable<Candle>,
  interval: Interval,
  openTime: EpochMs,
): Candle | undefined {
  let merged: Candle | undefined;
  for (const part of parts) {
    merged = merged === undefined ? widen(part, interval, openTime) : mergeCandles(merged, part);
  }
  return merged;
}

/**
 * A whole series rolled up, for history: `parts` ascending and closed, of `1m` or (for 3d, 1w, 1M)
 * `1d`. The last window is left out unless its end was reached.
 */
export function* rollUp(
  parts: Iterable<Candle>,
  interval: (typeof FROM_MINUTES)[number] | (typeof FROM_DAYS)[number],
  calendar: Calendar,
): Generator<Candle> {
  const window = new RollUp(interval);
  for (const part of parts) {
    const before = window.closedBy(part.openTime, 0 as EpochMs);
    if (before !== undefined) yield before;
    window.add(part, calendar);
    const closed = window.closedBy(
      (closeTimeOf(part.interval, part.openTime) + 1) as EpochMs,
      0 as EpochMs,
    );
    if (closed !== undefined) yield closed;
  }
}

export function asKnown(candle: Candle, knownFrom: EpochMs): Candle {
  return candle.complete && candle.openTime < knownFrom ? { ...candle, complete: false } : candle;
}

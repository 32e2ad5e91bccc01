// Binance's 16 candle intervals and its calendar, in UTC. No clock, no Date.
import { addMs, DAY_MS, type DurationMs, type EpochMs, HOUR_MS, MINUTE_MS } from './time.ts';

/** Shortest to longest; `1m` is a minute, `1M` a month. */
export const INTERVALS = [
  '1s',
  '1m',
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
  '3d',
  '1w',
  '1M',
] as const;

export type Interval = (typeof INTERVALS)[number];

export function isInterval(text: string): text is Interval {
  return (INTERVALS as readonly string[]).includes(text);
}

/**
 * Length of each interval's window in ms. A month has no fixed length: its entry is 31 days, an
 * upper bound; use `nextOpenTime` for its end.
 */
export const INTERVAL_MS: Readonly<Record<Interval, DurationMs>> = {
  '1s': 1_000,
  '1m': MINUTE_MS,
  '3m': 3 * MINUTE_MS,
  '5m': 5 * MINUTE_MS,
  '15m': 15 * MINUTE_MS,
  '30m': 30 * MINUTE_MS,
  '1h': HOUR_MS,
  '2h': 2 * HOUR_MS,
  '4h': 4 * HOUR_MS,
  '6h': 6 * HOUR_MS,
  '8h': 8 * HOUR_MS,
  '12h': 12 * HOUR_MS,
  '1d': DAY_MS,
  '3d': 3 * DAY_MS,
  '1w': 7 * DAY_MS,
  '1M': 31 * DAY_MS,
};

/** Where a symbol's calendar differs from the epoch's grid. */
export interface Calendar {
  /** Any open time of the symbol's 3d candles: the grid starts at its first day of trading, so it is not the epoch's. */
  readonly threeDayAnchor: EpochMs;
}

/** BTCUSDT's: real rows open on days ≡ 1 (mod 3 since 1970). */
export const DEFAULT_CALENDAR: Calendar = { threeDayAnchor: DAY_MS as EpochMs };

/** 1970-01-05 was the first Monday: Binance's weeks open on Mondays. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/** Open time of the window that holds `time`: the greatest window start ≤ `time`. */
export function openTimeOf(interval: Interval, time: EpochMs, calendar: Calendar): EpochMs {
  switch (interval) {
    case '1M':
      return monthStart(time);
    case '1w':
      return floorTo(time, 7 * DAY_MS, FIRST_MONDAY_MS);
    case '3d':
      return floorTo(time, 3 * DAY_MS, calendar.threeDayAnchor);
    default:
      return (time - (time % INTERVAL_MS[interval])) as EpochMs;
  }
}

/** Start of the window after the one that opens at `openTime` (its end, exclusive). */
export function nextOpenTime(interval: Interval, openTime: EpochMs): EpochMs {
  if (interval !== '1M') return addMs(openTime, INTERVAL_MS[interval]);
  return monthStart(addMs(openTime, 31 * DAY_MS));
}

/** Last millisecond of the window, Binance's closeTime. */
export function closeTimeOf(interval: Interval, openTime: EpochMs): EpochMs {
  return addMs(nextOpenTime(interval, openTime), -1);
}

function floorTo(time: number, step: number, anchor: number): EpochMs {
  const offset = (((time - anchor) % step) + step) % step;
  return (time - offset) as EpochMs;
}

/**
 * Start of the month holding `time`.
 * @see Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days
 */
function monthStart(time: EpochMs): EpochMs {
  const days = Math.floor(time / DAY_MS);
  const shifted = days + 719_468; // days since 0000-03-01
  const dayOfEra = shifted % 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5);
  return ((days - dayOfMonth) * DAY_MS) as EpochMs;
}

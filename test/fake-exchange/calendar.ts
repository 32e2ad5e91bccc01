// The exchange's calendar: when the windows of its 16 intervals open, in UTC. No clock.

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

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** 1970-01-05 was the first Monday. */
const FIRST_MONDAY = 4 * DAY;

const LENGTH: Record<Exclude<Interval, '1M'>, number> = {
  '1s': SECOND,
  '1m': MINUTE,
  '3m': 3 * MINUTE,
  '5m': 5 * MINUTE,
  '15m': 15 * MINUTE,
  '30m': 30 * MINUTE,
  '1h': HOUR,
  '2h': 2 * HOUR,
  '4h': 4 * HOUR,
  '6h': 6 * HOUR,
  '8h': 8 * HOUR,
  '12h': 12 * HOUR,
  '1d': DAY,
  '3d': 3 * DAY,
  '1w': 7 * DAY,
};

export function isInterval(text: string): text is Interval {
  return (INTERVALS as readonly string[]).includes(text);
}

/**
 * Start (ms, inclusive) of the window that holds `time`. `anchor` is any moment of the symbol's first
 * day of trading: the 3d grid starts there; other intervals ignore it.
 */
export function openTimeOf(interval: Interval, time: number, anchor: number): number {
  if (interval === '1M') {
    const date = new Date(time);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  }
  const length = LENGTH[interval];
  const origin = originOf(interval, anchor);
  return origin + Math.floor((time - origin) / length) * length;
}

function originOf(interval: Interval, anchor: number): number {
  if (interval === '1w') return FIRST_MONDAY;
  return interval === '3d' ? Math.floor(anchor / DAY) * DAY : 0;
}

/** Start of the window after the one that opens at `openTime`, which is also this one's end (exclusive). */
export function nextOpenTime(interval: Interval, openTime: number): number {
  if (interval !== '1M') return openTime + LENGTH[interval];
  const date = new Date(openTime);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

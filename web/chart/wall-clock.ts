// Where the time axis has its marks and what they say, in UTC or local time. Pure: the zone is an argument.
import { INTERVAL_MS, type Interval } from '../../src/core/market/interval.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/market/time.ts';

/** How a zone's clock differs from UTC at a moment, ms (positive east). */
export type ZoneOffset = (timeMs: number) => number;

export const UTC: ZoneOffset = () => 0;

/** The zone of the machine that shows the page, daylight saving included. */
export const localZone: ZoneOffset = (timeMs) => -new Date(timeMs).getTimezoneOffset() * MINUTE_MS;

/** `UTC`, `UTC+2`, `UTC−3:30`. */
export function zoneName(offsetMs: number): string {
  if (offsetMs === 0) return 'UTC';
  const minutes = Math.abs(offsetMs) / MINUTE_MS;
  const rest = minutes % 60 === 0 ? '' : `:${two(minutes % 60)}`;
  return `UTC${offsetMs < 0 ? '−' : '+'}${Math.floor(minutes / 60)}${rest}`;
}

/** A candle of a day or more is a UTC day, whatever the reader's zone: its date is shown in UTC. */
export function axisZone(interval: Interval, zone: ZoneOffset): ZoneOffset {
  return INTERVAL_MS[interval] >= DAY_MS ? UTC : zone;
}

/** Spans whose starts deserve a mark, least first; the weights are the chart library's scale (10 second … 70 year). */
const SPANS: readonly (readonly [spanMs: number, weight: number])[] = [
  [SECOND_MS, 10],
  [MINUTE_MS, 20],
  [5 * MINUTE_MS, 21],
  [30 * MINUTE_MS, 22],
  [HOUR_MS, 30],
  [3 * HOUR_MS, 31],
  [6 * HOUR_MS, 32],
  [12 * HOUR_MS, 33],
  [DAY_MS, 50],
];
const MONTH_WEIGHT = 60;
/** July before the other quarters before other months: what is left when not all fit is evenly spread. */
const QUARTER_WEIGHT = 62;
const HALF_YEAR_WEIGHT = 64;
const YEAR_WEIGHT = 70;

/** How much a mark at `timeMs` matters: the greatest span of the wall clock that began since `beforeMs`. */
export function markWeight(beforeMs: number, timeMs: number, zone: ZoneOffset): number {
  const before = new Date(beforeMs + zone(beforeMs));
  const time = new Date(timeMs + zone(timeMs));
  if (before.getUTCFullYear() !== time.getUTCFullYear()) return YEAR_WEIGHT;
  if (before.getUTCMonth() !== time.getUTCMonth()) return monthWeight(time.getUTCMonth());
  for (let at = SPANS.length - 1; at >= 0; at--) {
    const [spanMs, weight] = SPANS[at] ?? [1, 0];
    if (Math.floor(before.getTime() / spanMs) !== Math.floor(time.getTime() / spanMs)) {
      return weight;
    }
  }
  return 0;
}

function monthWeight(month: number): number {
  if (month === 6) return HALF_YEAR_WEIGHT;
  return month % 3 === 0 ? QUARTER_WEIGHT : MONTH_WEIGHT;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** Text of a mark of a weight: a year, a month, a day, `14:05` or `14:05:30`. */
export function markText(timeMs: number, weight: number, zone: ZoneOffset): string {
  const wall = new Date(timeMs + zone(timeMs));
  if (weight >= YEAR_WEIGHT) return String(wall.getUTCFullYear());
  if (weight >= MONTH_WEIGHT) return monthOf(wall);
  if (weight >= 50) return String(wall.getUTCDate());
  return weight >= 20 ? clockText(timeMs, zone).slice(0, 5) : clockText(timeMs, zone);
}

/** `14:05:30`. */
export function clockText(timeMs: number, zone: ZoneOffset): string {
  return new Date(timeMs + zone(timeMs)).toISOString().slice(11, 19);
}

/** A candle's time as its interval needs it: `12 Mar 2025, 14:05`, seconds for 1s, the date alone for days. */
export function candleTimeText(timeMs: number, interval: Interval, zone: ZoneOffset): string {
  const shown = axisZone(interval, zone);
  const wall = new Date(timeMs + shown(timeMs));
  if (interval === '1M') return `${monthOf(wall)} ${wall.getUTCFullYear()}`;
  const date = `${wall.getUTCDate()} ${monthOf(wall)} ${wall.getUTCFullYear()}`;
  if (INTERVAL_MS[interval] >= DAY_MS) return date;
  const clock = clockText(timeMs, shown);
  return `${date}, ${interval === '1s' ? clock : clock.slice(0, 5)}`;
}

/** `04:59`, `3:04:59`, `2d 3h`: time left to a candle's close; never below zero. */
export function countdownText(leftMs: number): string {
  const left = Math.max(0, leftMs);
  if (left >= DAY_MS)
    return `${Math.floor(left / DAY_MS)}d ${Math.floor((left % DAY_MS) / HOUR_MS)}h`;
  const seconds = Math.ceil(left / SECOND_MS);
  const clock = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return seconds >= 3_600 ? `${Math.floor(seconds / 3_600)}:${clock}` : clock;
}

/** `45 s`, `12 min`, `2 h 14 min`, `3 d 2 h`: a span in its two greatest units. */
export function spanText(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return twoUnits(ms, HOUR_MS, 'h', MINUTE_MS, 'min');
  return twoUnits(ms, DAY_MS, 'd', HOUR_MS, 'h');
}

function twoUnits(ms: number, big: number, bigName: string, small: number, smallName: string) {
  const rest = Math.floor((ms % big) / small);
  return `${Math.floor(ms / big)} ${bigName}${rest > 0 ? ` ${rest} ${smallName}` : ''}`;
}

function monthOf(wall: Date): string {
  return MONTHS[wall.getUTCMonth()] ?? '';
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

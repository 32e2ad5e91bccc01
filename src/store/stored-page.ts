// A page of candles of any interval, ending where it is told: those kept, and where none are kept the ones that shorter kept candles make whole. Writes nothing.
import { historyRollUp } from '../core/aggregation/history-roll-up.ts';
import { isFromDays, rollUp } from '../core/aggregation/roll-up.ts';
import type { Candle } from '../core/market/candle.ts';
import { type Calendar, type Interval, nextOpenTime, openTimeOf } from '../core/market/interval.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import {
  addMs,
  DAY_MS,
  EPOCH_MS_MAX,
  type EpochMs,
  epochMs,
  MINUTE_MS,
} from '../core/market/time.ts';
import type { CandleStore, Hole } from './candle-store.ts';
import { calendarOf } from './stored-calendar.ts';

/** Shorter candles read for one page: at the limit the page begins later, and the one before it goes on. A window is made whole all the same: a month has eleven times as many minutes. */
export const PARTS_READ_MAX = 4_000;

export interface PageQuery {
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  /** Greatest openTime, inclusive; the newest where it is left out. */
  readonly to?: EpochMs;
  readonly limit: number;
}

export interface StoredPage {
  /** Ascending, the newest up to `limit`. */
  readonly candles: readonly Candle[];
  /** Ended at a limit: there may be more in the direction asked for, however few these are. */
  readonly isCut: boolean;
}

export interface NextQuery {
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  /** Least openTime, inclusive. */
  readonly from: EpochMs;
  readonly limit: number;
}

type Series = PageQuery & { readonly calendar: Calendar };
type Store = Pick<CandleStore, 'read' | 'lastOpenTime'>;

export async function readStoredPage(store: Store, query: PageQuery): Promise<StoredPage> {
  const { symbol, interval, limit } = query;
  const stored = await store.read({ ...query, take: 'last' });
  if (interval === '1s' || interval === '1m') return { candles: stored, isCut: false };
  const calendar = await calendarOf(store, symbol, interval);
  const lastMinute = await store.lastOpenTime(symbol, '1m');
  if (calendar === undefined || lastMinute === undefined) return { candles: stored, isCut: false };
  const end = lastEnd({ ...query, calendar }, addMs(lastMinute, MINUTE_MS));
  const holes = holesIn(stored, limit, end);
  let made: readonly Candle[] = [];
  let parts = 0;
  for (const hole of holes) {
    const filled = await fill(store, { ...query, calendar }, hole, PARTS_READ_MAX - parts);
    parts += filled.parts;
    made = [...filled.candles, ...made];
    if (filled.isCut || parts >= PARTS_READ_MAX) {
      const from = made[0]?.openTime ?? hole.to;
      const kept = stored.filter(({ openTime }) => openTime >= from);
      return { candles: joined(kept, made, limit), isCut: true };
    }
  }
  return { candles: joined(stored, made, limit), isCut: false };
}

/** The oldest up to `limit` from `from` on, however long the gap before the first of them. */
export async function readNextPage(store: Store, query: NextQuery): Promise<StoredPage> {
  const { symbol, interval, from, limit } = query;
  const stored = await store.read({ ...query, take: 'first' });
  const kept = { candles: stored, isCut: stored.length === limit };
  if (interval === '1s' || interval === '1m') return kept;
  const calendar = await calendarOf(store, symbol, interval);
  const minutes = { symbol, interval: '1m', from, limit: 1, take: 'first' } as const;
  const [minute] = await store.read(minutes);
  if (calendar === undefined || minute === undefined) return kept;
  // Minutes may begin within a window that is not whole.
  const first = nextOpenTime(interval, openTimeOf(interval, minute.openTime, calendar));
  if (isWithoutHoles(stored, first)) return kept;
  const windows = Math.max(1, Math.min(limit, Math.floor(PARTS_READ_MAX / minutesOf(interval))));
  let to = stored[0] !== undefined && stored[0].openTime < first ? stored[0].openTime : first;
  for (let count = 1; count < windows; count++) to = nextOpenTime(interval, to);
  const { candles } = await readStoredPage(store, { symbol, interval, to, limit: windows + 1 });
  const made = candles.filter(({ openTime }) => openTime >= from);
  return made.length > 0 ? { candles: made, isCut: true } : kept;
}

function isWithoutHoles(candles: readonly Candle[], by: EpochMs): boolean {
  const [first] = candles;
  if (first === undefined || first.openTime > by) return false;
  return candles.every(
    ({ openTime }, index) =>
      openTime === first.openTime ||
      openTime === addMs(candles[index - 1]?.closeTime ?? openTime, 1),
  );
}

function joined(
  stored: readonly Candle[],
  made: readonly Candle[],
  limit: number,
): readonly Candle[] {
  return [...stored, ...made].sort((a, b) => a.openTime - b.openTime).slice(-limit);
}

/** Where the last window ends that opens up to `to` and is over by `now`. */
function lastEnd({ interval, to, calendar }: Series, now: EpochMs): EpochMs {
  const newest = openTimeOf(interval, now, calendar);
  const asked = openTimeOf(interval, to === undefined || to > now ? now : to, calendar);
  return asked < newest ? nextOpenTime(interval, asked) : newest;
}

/** Where windows are missing that shorter candles may fill, newest first: before the first kept one only where more are wanted. */
function holesIn(stored: readonly Candle[], limit: number, end: EpochMs): readonly Hole[] {
  const holes: Hole[] = [];
  let before = epochMs(0);
  for (const { openTime, closeTime } of stored) {
    const isWanted = before > 0 || stored.length < limit;
    if (openTime > before && isWanted) holes.push({ from: before, to: openTime });
    before = addMs(closeTime, 1);
  }
  if (before < end) holes.push({ from: before, to: end });
  return holes.reverse();
}

interface Filled {
  readonly candles: readonly Candle[];
  readonly parts: number;
  readonly isCut: boolean;
}

async function fill(store: Store, series: Series, hole: Hole, room: number): Promise<Filled> {
  const { symbol, interval, to = EPOCH_MS_MAX } = series;
  const span = { symbol, from: hole.from, to: addMs(hole.to, -1), take: 'last' } as const;
  const days = isFromDays(interval)
    ? await store.read({ ...span, interval: '1d', limit: room })
    : [];
  const isOfMinutes = days.length === 0;
  const limit = Math.max(room, minutesOf(interval));
  const parts = isOfMinutes ? await store.read({ ...span, interval: '1m', limit }) : days;
  const [first] = parts;
  if (first === undefined) return { candles: [], parts: 0, isCut: false };
  const isCut = parts.length === (isOfMinutes ? limit : room);
  // Before the first part nothing is known, save where a kept window ends.
  const known = isCut || hole.from === 0 ? first.openTime : hole.from;
  const made =
    isFromDays(interval) && !isOfMinutes
      ? [...rollUp(parts, interval, series.calendar)]
      : fromMinutes(parts, series, known);
  const lengthMs = isOfMinutes ? MINUTE_MS : DAY_MS;
  const candles = made
    .filter(({ openTime }) => openTime >= known && openTime <= to)
    .map((candle) => withCompleteness(candle, parts, lengthMs));
  return { candles, parts: parts.length, isCut };
}

function fromMinutes(
  minutes: readonly Candle[],
  { interval, calendar }: Series,
  known: EpochMs,
): readonly Candle[] {
  const windows = historyRollUp([interval], calendar, known);
  return minutes.flatMap((minute) => windows.add(minute));
}

/** Whether parts are missing because the exchange left them out or because they were never fetched is not known here. */
function withCompleteness(candle: Candle, parts: readonly Candle[], partMs: number): Candle {
  const from = indexAt(parts, candle.openTime);
  const count = indexAt(parts, addMs(candle.closeTime, 1)) - from;
  const whole = (candle.closeTime + 1 - candle.openTime) / partMs;
  return count === whole ? candle : { ...candle, complete: false };
}

/** Of the first part that opens at `time` or later. */
function indexAt(parts: readonly Candle[], time: EpochMs): number {
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((parts[middle]?.openTime ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function minutesOf(interval: Interval): number {
  return nextOpenTime(interval, epochMs(0)) / MINUTE_MS + 1;
}

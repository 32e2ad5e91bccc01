// A symbol's start: from which minute on its trades are folded, and the closed klines that tile its open windows before that.
import { isVoid } from '../../core/market/agg-trade.ts';
import type { Candle } from '../../core/market/candle.ts';
import { DEFAULT_CALENDAR, openTimeOf } from '../../core/market/interval.ts';
import type { SymbolStart } from '../../core/market/raw-tick.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import {
  addMs,
  type Clock,
  type DurationMs,
  type EpochMs,
  MINUTE_MS,
  minuteOf,
} from '../../core/market/time.ts';
import { KLINE_SETTLE_MS, type Klines } from './kline-rows.ts';
import { PAGE_ROWS_MAX, type Rest, type TradePage } from './rest.ts';

/** What lies further back is not fetched as trades but as closed klines. */
export const RESUME_MS_MAX: DurationMs = 15 * MINUTE_MS;

/** 1m klines of history a symbol: 25 hours, so that they tile its day too. */
export const HISTORY_MINUTES = 1_500;

/** Asked again this often, so far apart, while REST has not yet the minute before the start; then it is a gap. */
export const TILE_TRIES_MAX = 60;
export const TILE_RETRY_MS: DurationMs = 1_000;

/** The klines a start is made of, closed ones, ascending. */
export interface StartRows {
  readonly minutes: readonly Candle[];
  readonly days: readonly Candle[];
  readonly threeDays: readonly Candle[];
  /** An open time of the symbol's 3d candles; undefined where it has none yet. */
  readonly anchor: EpochMs | undefined;
}

export interface StartTiles {
  readonly start: SymbolStart;
  /** Closed 1d candles of the open month, week and 3d window, ascending. */
  readonly days: readonly Candle[];
  /** Closed 1m candles of the day up to `start.time`, ascending. */
  readonly minutes: readonly Candle[];
  /** Closed 1m candles from `start.time` on: word that these minutes exist. */
  readonly following: readonly Candle[];
  /** Everything fetched that closed before `start.time`, by interval: 1m, 1d, 3d. */
  readonly history: readonly (readonly Candle[])[];
}

/**
 * Open time of the first minute to fold from trades. Klines end where it begins, so it lies far
 * enough back for REST to have them for good.
 */
export function startMinute(resumeFrom: EpochMs | undefined, now: EpochMs): EpochMs {
  const settled = minuteOf(addMs(now, -KLINE_SETTLE_MS));
  if (resumeFrom === undefined || now - resumeFrom > RESUME_MS_MAX) return settled;
  return Math.min(minuteOf(resumeFrom), settled) as EpochMs;
}

export async function fetchStartRows(
  symbol: MarketSymbol,
  startTime: EpochMs,
  {
    rest,
    clock,
    signal,
  }: { readonly rest: Rest; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<StartRows> {
  const asking = { priority: 'start', signal } as const;
  const [older, newer, days, threeDays] = await Promise.all([
    rest.klines(
      symbol,
      '1m',
      {
        startTime: addMs(startTime, -HISTORY_MINUTES * MINUTE_MS),
        endTime: addMs(startTime, -NEWER_MINUTES * MINUTE_MS - 1),
        limit: PAGE_ROWS_MAX,
      },
      asking,
    ),
    newerMinutes(),
    rest.klines(symbol, '1d', {}, asking),
    rest.klines(symbol, '3d', {}, asking),
  ]);
  const minutes = [...older.closed, ...newer.closed];
  const anchor = threeDays.lastOpenTime ?? days.closed[0]?.openTime ?? days.lastOpenTime;
  return { minutes, days: days.closed, threeDays: threeDays.closed, anchor };

  async function newerMinutes(): Promise<Klines> {
    const from = addMs(startTime, -NEWER_MINUTES * MINUTE_MS);
    const last = addMs(startTime, -MINUTE_MS);
    for (let tries = 1; ; tries++) {
      const klines = await rest.klines(symbol, '1m', { startTime: from }, asking);
      const { closed, lastOpenTime } = klines;
      // A later one proves that one missing before it does not exist; no candle at all, that the symbol is new.
      const isSettled = lastOpenTime === undefined || lastOpenTime >= startTime;
      const hasLast = closed.some(({ openTime }) => openTime === last);
      if (isSettled || hasLast || tries === TILE_TRIES_MAX) return klines;
      await clock.sleep(TILE_RETRY_MS, signal);
      signal.throwIfAborted();
    }
  }
}

/** The second page of the minutes reaches from here to now; it must hold `RESUME_MS_MAX` beside. */
const NEWER_MINUTES = 500;

/**
 * Where folding may begin: minutes from `start` on that the exchange counts more trades in than
 * `page` (the trades from `start` on) holds are left to their klines.
 */
export function accountedFrom(
  start: EpochMs,
  minutes: readonly Candle[],
  page: TradePage,
): EpochMs {
  const counts = new Map<EpochMs, number>();
  for (const { tradeTime, firstTradeId, lastTradeId } of page.trades.filter(
    (one) => !isVoid(one),
  )) {
    const minute = minuteOf(tradeTime);
    counts.set(minute, (counts.get(minute) ?? 0) + lastTradeId - firstTradeId + 1);
  }
  const end = page.isFull ? (page.trades.at(-1)?.tradeTime ?? start) : Number.POSITIVE_INFINITY;
  let from = start;
  for (const { openTime, trades } of minutes) {
    if (openTime < from) continue;
    const isWhole = addMs(openTime, MINUTE_MS) <= end;
    if (openTime > from || !isWhole || trades <= (counts.get(openTime) ?? 0)) break;
    from = addMs(from, MINUTE_MS);
  }
  return from;
}

/**
 * The start at minute `time`, of rows fetched for it or an earlier one. `missedFrom`: end of what is
 * held of before; minutes from there on come along where the rows reach back that far, and the days
 * they lie in are left to them.
 */
export function tilesOf(
  symbol: MarketSymbol,
  time: EpochMs,
  rows: StartRows,
  missedFrom: EpochMs | undefined,
): StartTiles {
  const threeDayAnchor = rows.anchor ?? DEFAULT_CALENDAR.threeDayAnchor;
  const calendar = { threeDayAnchor };
  const dayStart = openTimeOf('1d', time, calendar);
  const reach = addMs(time, -HISTORY_MINUTES * MINUTE_MS);
  const isReached = missedFrom !== undefined && missedFrom >= reach && missedFrom < dayStart;
  const minutesFrom = isReached ? missedFrom : dayStart;
  const daysEnd = openTimeOf('1d', minutesFrom, calendar);
  const opens = (['1M', '1w', '3d'] as const).map((each) => openTimeOf(each, time, calendar));
  const daysFrom = Math.min(...opens) as EpochMs;
  const before = ({ closeTime }: Candle) => closeTime < time;
  const last = rows.minutes.find(({ openTime }) => openTime === addMs(time, -MINUTE_MS));
  const previousClose = last === undefined ? {} : { previousClose: last.close };
  return {
    start: { symbol, time, threeDayAnchor, minutesFrom, daysFrom, ...previousClose },
    days: rows.days.filter(({ openTime }) => openTime >= daysFrom && openTime < daysEnd),
    minutes: rows.minutes.filter((one) => one.openTime >= minutesFrom && before(one)),
    following: rows.minutes.filter(({ openTime }) => openTime >= time),
    history: [rows.minutes, rows.days, rows.threeDays].map((candles) => candles.filter(before)),
  };
}

// The past of one simulated symbol as closed klines of all intervals, made in one pass and in slices, so that a live stream beside it is not held up.
import type { Candle } from '../../core/market/candle.ts';
import { INTERVAL_MS, INTERVALS, type Interval, openTimeOf } from '../../core/market/interval.ts';
import { addMs, DAY_MS, type EpochMs, MINUTE_MS } from '../../core/market/time.ts';
import { klineOf, type LotCandle } from './lot-candle.ts';
import { rollUp } from './roll-up.ts';
import type { SimulatedSymbol } from './simulated-symbol.ts';

/** Candles of history an interval at most; of 1m more, as the chart opens there. */
export const HISTORY_CANDLES_MAX = 1_000;
export const HISTORY_MINUTES_MAX = 1_500;
/** Seconds cost their trades: of a symbol at thousands of trades a second, fewer are made. */
export const HISTORY_SECONDS_TRADES_MAX = 100_000;

export type SymbolHistory = ReadonlyMap<Interval, readonly Candle[]>;

/** From when a symbol that joins at `join` (a minute's start) has days: they tile its open 3d, week and month. */
export function daysFrom(symbol: SimulatedSymbol, join: EpochMs): EpochMs {
  const starts = (['3d', '1w', '1M'] as const).map((interval) =>
    openTimeOf(interval, join, symbol.calendar),
  );
  return Math.min(...starts) as EpochMs;
}

/** First day a history of `historyDays` that ends at `join` needs: whole days, and all those of the open month. */
export function historyFrom(symbol: SimulatedSymbol, join: EpochMs, historyDays: number): EpochMs {
  const today = openTimeOf('1d', join, symbol.calendar);
  return Math.min(daysFrom(symbol, join), addMs(today, -historyDays * DAY_MS)) as EpochMs;
}

/**
 * Closed candles whose window ends at or before `join`, ascending per interval; 1d and 1m reach back
 * at least to `daysFrom` and to the UTC day's start. Yields after each day's work, to let others run.
 */
export function* symbolHistory(
  symbol: SimulatedSymbol,
  join: EpochMs,
  historyDays: number,
): Generator<undefined, SymbolHistory, undefined> {
  const history = new Map<Interval, Candle[]>(INTERVALS.map((interval) => [interval, []]));
  const first = firstOpenTimes(symbol, join);
  const add = rollUp(symbol.calendar, first, (interval, candle) => {
    history.get(interval)?.push(klineOf(symbol.listing, interval, candle));
  });
  const from = historyFrom(symbol, join, historyDays);
  let close = symbol.closeBefore(from);
  for (let openTime = from; openTime < join; openTime = addMs(openTime, MINUTE_MS)) {
    const minute = symbol.minute(openTime, close);
    close = minute.close;
    add(minute);
    if ((openTime + MINUTE_MS) % DAY_MS === 0) yield;
  }
  yield;
  const seconds = secondsBefore(symbol, join, from);
  history.set(
    '1s',
    seconds.map((second) => klineOf(symbol.listing, '1s', second)),
  );
  return history;
}

/** Open times before which a candle is not kept. */
function firstOpenTimes(symbol: SimulatedSymbol, join: EpochMs): Map<Interval, EpochMs> {
  return new Map(
    INTERVALS.map((interval) => {
      const most = interval === '1m' ? HISTORY_MINUTES_MAX : HISTORY_CANDLES_MAX;
      const last = addMs(openTimeOf(interval, join, symbol.calendar), -1);
      return [interval, addMs(last, 1 - most * INTERVAL_MS[interval])];
    }),
  );
}

function secondsBefore(symbol: SimulatedSymbol, join: EpochMs, from: EpochMs): LotCandle[] {
  const idAtJoin = symbol.nextAggTradeId(join);
  let start = join;
  while (start > from && (join - start) / 1_000 < HISTORY_CANDLES_MAX) {
    const earlier = addMs(start, -MINUTE_MS);
    if (idAtJoin - symbol.nextAggTradeId(earlier) > HISTORY_SECONDS_TRADES_MAX) break;
    start = earlier;
  }
  const seconds: LotCandle[] = [];
  let close = symbol.closeBefore(start);
  for (let openTime = start; openTime < join; openTime = addMs(openTime, MINUTE_MS)) {
    const ofMinute = symbol.seconds(openTime, close);
    close = ofMinute.at(-1)?.close ?? close;
    seconds.push(...ofMinute);
  }
  return seconds.slice(-HISTORY_CANDLES_MAX);
}

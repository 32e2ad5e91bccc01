// Closed candles of the past for the chart and the store, one symbol and interval after the other, after everything that is urgent.
import type { Candle } from '../../core/market/candle.ts';
import {
  type Calendar,
  type Interval,
  nextOpenTime,
  openTimeOf,
} from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { addMs, type EpochMs } from '../../core/market/time.ts';
import type { Rest } from './rest.ts';

/** Fetched with a symbol's start anyway. */
export const START_INTERVALS: ReadonlySet<Interval> = new Set(['1m', '1d', '3d']);

interface Asking {
  readonly rest: Pick<Rest, 'klines'>;
  readonly signal: AbortSignal;
}

/** The newest closed candles of `interval`, at most a page, that closed before `before`. */
export async function fetchHistory(
  symbol: MarketSymbol,
  interval: Interval,
  before: EpochMs,
  { rest, signal }: Asking,
): Promise<readonly Candle[]> {
  const asking = { priority: 'history', signal } as const;
  const { closed } = await rest.klines(symbol, interval, {}, asking);
  return closed.filter(({ closeTime }) => closeTime < before);
}

/** Closed candles that end after `from` and begin before `to`, oldest first, page by page. */
export async function* fetchGap(
  symbol: MarketSymbol,
  interval: Interval,
  { from, to, calendar }: { from: EpochMs; to: EpochMs; calendar: Calendar },
  { rest, signal }: Asking,
): AsyncGenerator<readonly Candle[], void, undefined> {
  const asking = { priority: 'history', signal } as const;
  const endTime = addMs(to, -1);
  for (let startTime = openTimeOf(interval, from, calendar); startTime < to; ) {
    const { closed, lastOpenTime } = await rest.klines(
      symbol,
      interval,
      { startTime, endTime },
      asking,
    );
    if (lastOpenTime === undefined) return;
    if (closed.length > 0) yield closed;
    startTime = nextOpenTime(interval, lastOpenTime);
  }
}

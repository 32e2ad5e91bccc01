// Closed candles of the past for the chart, one symbol and interval after the other, after everything that is urgent.
import type { Candle } from '../../core/market/candle.ts';
import type { Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { EpochMs } from '../../core/market/time.ts';
import type { Rest } from './rest.ts';

/** Fetched with a symbol's start anyway. */
export const START_INTERVALS: ReadonlySet<Interval> = new Set(['1m', '1d', '3d']);

/** The newest closed candles of `interval`, at most a page, that closed before `before`. */
export async function fetchHistory(
  symbol: MarketSymbol,
  interval: Interval,
  before: EpochMs,
  { rest, signal }: { readonly rest: Rest; readonly signal: AbortSignal },
): Promise<readonly Candle[]> {
  const asking = { priority: 'history', signal } as const;
  const { closed } = await rest.klines(symbol, interval, {}, asking);
  return closed.filter(({ closeTime }) => closeTime < before);
}

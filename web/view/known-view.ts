// What of the reader's wish the server can show. Pure; what it lacks is named.
import type { Interval } from '../../src/core/market/interval.ts';
import { DEFAULT_INTERVAL } from './url-state.ts';

export interface KnownView {
  /** Undefined where the server has no symbol at all. */
  readonly symbol: string | undefined;
  readonly interval: Interval;
  /** One line for each wish that could not be met. */
  readonly faults: readonly string[];
}

/** The wished symbol and interval where the server has them, else its first symbol and 1m. */
export function knownView(
  wish: { readonly symbol: string | undefined; readonly interval: Interval },
  offer: { readonly symbols: readonly string[]; readonly intervals: readonly Interval[] },
): KnownView {
  const faults: string[] = [];
  const isKnown = wish.symbol !== undefined && offer.symbols.includes(wish.symbol);
  const symbol = isKnown ? wish.symbol : offer.symbols[0];
  if (wish.symbol !== undefined && !isKnown) {
    faults.push(
      symbol === undefined
        ? `This server has no symbol “${wish.symbol}”, nor any other.`
        : `This server has no symbol “${wish.symbol}”: showing ${symbol} instead.`,
    );
  }
  const { intervals } = offer;
  const isOffered = intervals.includes(wish.interval);
  const other = intervals.includes(DEFAULT_INTERVAL) ? DEFAULT_INTERVAL : intervals[0];
  const interval = isOffered ? wish.interval : (other ?? wish.interval);
  if (interval !== wish.interval) {
    faults.push(`This server has no interval “${wish.interval}”: showing ${interval} instead.`);
  }
  return { symbol, interval, faults };
}

// Which symbols are followed at a start: those named in the settings, and what the user has wished since. Pure.
import type { SymbolWish } from './listing.ts';
import type { MarketSymbol } from './symbol.ts';

export interface WishedSymbols {
  /** Of those named. */
  readonly named: readonly MarketSymbol[];
  /** The wishes that count beside. */
  readonly wishes: readonly SymbolWish[];
}

/**
 * A wish is the user's last word: it counts over the settings until a contrary one, also over restarts. Only where
 * nothing at all would be left, the settings count: somebody who names symbols wants to see some.
 */
export function wishedSymbols(
  named: readonly MarketSymbol[],
  wishes: readonly SymbolWish[],
): WishedSymbols {
  const unwanted = new Set(wishes.filter(({ wanted }) => !wanted).map(({ symbol }) => symbol));
  const left = named.filter((symbol) => !unwanted.has(symbol));
  const isEmpty = left.length === 0 && wishes.every(({ wanted }) => !wanted);
  return isEmpty ? { named, wishes: [] } : { named: left, wishes };
}

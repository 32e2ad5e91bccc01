// Which symbols a search shows: those that begin with it first. Pure.

/** Options in the list; of more the reader is told the number. */
export const SYMBOLS_SHOWN_MAX = 100;

export function matchSymbols(
  symbols: readonly string[],
  query: string,
): { readonly shown: readonly string[]; readonly left: number } {
  // People write BTC/USDT; the exchange has no slash.
  const wanted = query.toUpperCase().replaceAll(/[/\s]/g, '');
  const found = [
    ...symbols.filter((symbol) => symbol.startsWith(wanted)),
    ...symbols.filter((symbol) => !symbol.startsWith(wanted) && symbol.includes(wanted)),
  ];
  const shown = found.slice(0, SYMBOLS_SHOWN_MAX);
  return { shown, left: found.length - shown.length };
}

// Finds listings by what a user types: `eth`, `ethusdt`, `usdt`. Pure.
import type { Listing } from './listing.ts';

/** At most `limit`, the likeliest first: the symbol itself, then the asset, then what begins so, then what holds it; trading ones before others. */
export function searchListings(
  listings: Iterable<Listing>,
  query: string,
  limit: number,
): readonly Listing[] {
  const wanted = query.trim().toUpperCase().replaceAll('/', '');
  const found: { readonly listing: Listing; readonly rank: number }[] = [];
  for (const listing of listings) {
    const rank = rankOf(listing, wanted);
    if (rank !== undefined) found.push({ listing, rank });
  }
  found.sort((a, b) => a.rank - b.rank || (a.listing.symbol < b.listing.symbol ? -1 : 1));
  return found.slice(0, limit).map(({ listing }) => listing);
}

const NOT_TRADING = 10;

/** Less is likelier; undefined: not what is looked for. */
function rankOf(listing: Listing, wanted: string): number | undefined {
  const { symbol, baseAsset } = listing;
  const matches = [
    symbol === wanted,
    baseAsset.toUpperCase() === wanted,
    symbol.startsWith(wanted),
    symbol.includes(wanted),
  ];
  const rank = matches.indexOf(true);
  if (rank < 0) return undefined;
  return listing.status === 'TRADING' ? rank : rank + NOT_TRADING;
}

// What the exchange lists, and adding or removing a symbol while running. Throws an Error whose message can be shown to the reader.
import { parseMarketSymbol } from '../../src/core/market/symbol.ts';
import { askServer, bodyOf, postJson } from '../connection/ask-server.ts';
import { isRecord } from '../connection/parse-message.ts';

/** Listings asked for: more than anybody reads. */
export const LISTINGS_SHOWN_MAX = 50;

export interface ListedSymbol {
  readonly symbol: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  /** The exchange's: TRADING, BREAK, HALT … */
  readonly status: string;
}

/** What fits `query`, best first; undefined where the server knows of no listings (an older one, or a recording). */
export async function searchListings(
  base: string,
  query: string,
  signal: AbortSignal,
): Promise<readonly ListedSymbol[] | undefined> {
  const url = new URL('api/v1/listings', base);
  url.searchParams.set('query', query);
  url.searchParams.set('limit', String(LISTINGS_SHOWN_MAX));
  const response = await askServer(url, { signal });
  if (response.status === 404) return undefined;
  const answer = await bodyOf(response);
  const listings = answer['listings'];
  if (!Array.isArray(listings)) throw new Error('the server answered something else than listings');
  if (answer['isKnown'] === false) return anyName(query);
  return listings.filter(isListed).slice(0, LISTINGS_SHOWN_MAX);
}

/** A market without a list, a simulated one, takes any name. */
function anyName(query: string): readonly ListedSymbol[] {
  const symbol = parseMarketSymbol(query.replaceAll(/[/\s]/g, ''));
  if (symbol === undefined) return [];
  return [{ symbol, baseAsset: '', quoteAsset: '', status: 'TRADING' }];
}

export async function addSymbol(base: string, symbol: string): Promise<void> {
  await bodyOf(await askServer(new URL('api/v1/symbols', base), postJson({ symbol })));
}

export async function removeSymbol(base: string, symbol: string): Promise<void> {
  const url = new URL(`api/v1/symbols/${encodeURIComponent(symbol)}`, base);
  await bodyOf(await askServer(url, { method: 'DELETE' }));
}

function isListed(value: unknown): value is ListedSymbol {
  return (
    isRecord(value) &&
    ['symbol', 'baseAsset', 'quoteAsset', 'status'].every((key) => typeof value[key] === 'string')
  );
}

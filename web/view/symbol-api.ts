// What the exchange lists, and adding or removing a symbol while running. Throws an Error whose message can be shown to the reader.
import { parseMarketSymbol } from '../../src/core/market/symbol.ts';
import { isRecord } from '../connection/parse-message.ts';

export const SYMBOL_API_TIMEOUT_MS = 8_000;
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
  const response = await ask(url, { signal });
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
  const body = JSON.stringify({ symbol });
  const headers = { 'content-type': 'application/json' };
  await bodyOf(await ask(new URL('api/v1/symbols', base), { method: 'POST', headers, body }));
}

export async function removeSymbol(base: string, symbol: string): Promise<void> {
  const url = new URL(`api/v1/symbols/${encodeURIComponent(symbol)}`, base);
  await bodyOf(await ask(url, { method: 'DELETE' }));
}

async function ask(url: URL, init: RequestInit): Promise<Response> {
  const limit = AbortSignal.timeout(SYMBOL_API_TIMEOUT_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
  return fetch(url, { ...init, signal });
}

/** @throws Error with the server's own words where it refuses. */
async function bodyOf(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const text = await response.text();
  const answer = parsedJson(text);
  if (response.ok) return isRecord(answer) ? answer : {};
  const error = isRecord(answer) ? answer['error'] : undefined;
  const message = isRecord(error) ? error['message'] : undefined;
  throw new Error(typeof message === 'string' ? message : `the server answered ${response.status}`);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // an empty answer, or a proxy's page: the status says enough
  }
}

function isListed(value: unknown): value is ListedSymbol {
  return (
    isRecord(value) &&
    ['symbol', 'baseAsset', 'quoteAsset', 'status'].every((key) => typeof value[key] === 'string')
  );
}

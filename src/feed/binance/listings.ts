// What the exchange lists, by REST: asked rarely, handed on when it has changed. Whatever of the answer is no listing is left out.
import { z } from 'zod';
import type { Listing } from '../../core/market/listing.ts';
import { type MarketSymbol, parseMarketSymbol } from '../../core/market/symbol.ts';
import type { Clock, DurationMs } from '../../core/market/time.ts';
import type { RestRequester } from './rest-request.ts';

/** After the start: the answer is some MB, and the first candles come before it. */
export const LISTINGS_AFTER_MS: DurationMs = 3_000;
export const LISTINGS_INTERVAL_MS: DurationMs = 6 * 3_600_000;
/** After a refusal, or an answer that is none: a login page in between may be gone by then. */
export const LISTINGS_RETRY_MS: DurationMs = 60_000;
/** Listings kept of one answer; the exchange has some 3,500. Those beyond are left out. */
export const LISTINGS_MAX = 10_000;
const WEIGHT = 20;

const answerSchema = z.object({ symbols: z.array(z.unknown()) });
const listingSchema = z.object({
  symbol: z.string(),
  baseAsset: z.string(),
  quoteAsset: z.string(),
  status: z.string(),
});

export interface ListingsOptions {
  readonly requester: Pick<RestRequester, 'ask'>;
  readonly clock: Clock;
  readonly onListings: (listings: readonly Listing[]) => void;
  readonly logger: { warn(message: string): void };
  readonly signal: AbortSignal;
}

/** Runs until `signal` aborts. What fails is told and tried again soon. */
export async function followListings(options: ListingsOptions): Promise<void> {
  const { requester, clock, onListings, logger, signal } = options;
  let known = '';
  for (let waitMs = LISTINGS_AFTER_MS; ; ) {
    await clock.sleep(waitMs, signal);
    if (signal.aborted) return;
    waitMs = LISTINGS_INTERVAL_MS;
    try {
      const listings = await fetchListings(requester, signal);
      const text = JSON.stringify(listings);
      if (text !== known && listings.length > 0) onListings(listings);
      known = text;
    } catch (error) {
      if (signal.aborted) return;
      waitMs = LISTINGS_RETRY_MS;
      logger.warn(`What the exchange lists is not known anew: ${String(error)}`);
    }
  }
}

async function fetchListings(
  requester: Pick<RestRequester, 'ask'>,
  signal: AbortSignal,
): Promise<readonly Listing[]> {
  // Permission sets are most of the answer, and of no use here.
  const query = { showPermissionSets: 'false' };
  const path = '/api/v3/exchangeInfo';
  const { value } = await requester.ask({
    path,
    weight: WEIGHT,
    query,
    priority: 'history',
    signal,
  });
  return readListings(value);
}

/** @throws ZodError where it is no such answer. */
export function readListings(value: unknown): readonly Listing[] {
  const listings = new Map<MarketSymbol, Listing>();
  for (const row of answerSchema.parse(value).symbols.slice(0, LISTINGS_MAX)) {
    const { data } = listingSchema.safeParse(row);
    const symbol = data === undefined ? undefined : parseMarketSymbol(data.symbol);
    if (data === undefined || symbol === undefined) continue;
    const { baseAsset, quoteAsset, status } = data;
    listings.set(symbol, { symbol, baseAsset, quoteAsset, status });
  }
  return [...listings.values()];
}

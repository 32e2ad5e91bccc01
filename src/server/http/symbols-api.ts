// Symbols that come and go while it runs: what the user wishes is written to the log, and what the exchange lists can be searched. Follows nothing itself.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { SymbolWish } from '../../core/market/listing.ts';
import { searchListings } from '../../core/market/search-listings.ts';
import { type MarketSymbol, parseMarketSymbol, SYMBOLS_MAX } from '../../core/market/symbol.ts';
import type { Clock } from '../../core/market/time.ts';
import type { LiveMarket } from '../../stages/live-market.ts';
import type { FeedNews } from '../feed-news.ts';
import { HttpError } from './error-body.ts';

export const LISTINGS_LIMIT_MAX = 100;
const LISTINGS_LIMIT_DEFAULT = 20;
const QUERY_LENGTH_MAX = 40;

export interface SymbolsApiOptions {
  readonly market: LiveMarket;
  readonly news: FeedNews;
  readonly clock: Clock;
  /** Writes the wish to the log. */
  readonly wish: (wish: SymbolWish) => Promise<void>;
}

const bodySchema = z.object({ symbol: z.string() });
const listingsQuery = z.object({
  query: z.string().max(QUERY_LENGTH_MAX).default(''),
  limit: z.coerce.number().int().min(1).max(LISTINGS_LIMIT_MAX).default(LISTINGS_LIMIT_DEFAULT),
});

/** `POST /api/v1/symbols`, `DELETE /api/v1/symbols/<symbol>`, `GET /api/v1/listings`. 202: it is wished; what comes of it is told by `symbols` and the feed's status. */
export function registerSymbolsApi(app: FastifyInstance, options: SymbolsApiOptions): void {
  const { market, news, clock, wish } = options;

  async function accept(symbol: MarketSymbol, wanted: boolean) {
    await wish({ symbol, wanted, at: clock.now() });
    return { source: news.source(), symbol, wanted };
  }

  app.post('/api/v1/symbols', async (request, reply) => {
    const body = bodySchema.safeParse(request.body);
    if (!body.success) throw new HttpError(400, 'bad-parameter', 'Expected {"symbol":"ETHUSDT"}');
    const symbol = symbolOf(body.data.symbol);
    const fault = additionFault(symbol, options);
    if (fault !== undefined) throw fault;
    return reply.code(202).send(await accept(symbol, true));
  });

  app.delete<{ Params: { symbol: string } }>('/api/v1/symbols/:symbol', async (request, reply) => {
    const symbol = symbolOf(request.params.symbol);
    const fault = removalFault(symbol, options);
    if (fault !== undefined) throw fault;
    return reply.code(202).send(await accept(symbol, false));
  });

  app.get('/api/v1/listings', async (request) => {
    const query = listingsQuery.safeParse(request.query);
    if (!query.success) {
      const issue = query.error.issues[0];
      throw new HttpError(400, 'bad-parameter', `Parameter "${issue?.path}": ${issue?.message}`);
    }
    const listings = market.listings();
    const followed = new Set(market.symbols());
    const found = searchListings(listings.values(), query.data.query, query.data.limit);
    return {
      source: news.source(),
      // A market without a list of its own takes any name.
      isKnown: listings.size > 0,
      listings: found.map((listing) => ({ ...listing, followed: followed.has(listing.symbol) })),
    };
  });
}

/** @throws HttpError naming what it was. */
export function symbolOf(text: string): MarketSymbol {
  const symbol = parseMarketSymbol(text);
  if (symbol !== undefined) return symbol;
  const shown = text.slice(0, QUERY_LENGTH_MAX);
  throw new HttpError(400, 'bad-parameter', `Expected a symbol such as ETHUSDT, was "${shown}"`);
}

function additionFault(
  symbol: MarketSymbol,
  { market, news }: SymbolsApiOptions,
): HttpError | undefined {
  if (news.source().kind === 'recording') return recordingFault();
  const listings = market.listings();
  if (listings.size > 0 && !listings.has(symbol)) {
    const message = `The exchange lists no "${symbol}"; /api/v1/listings?query= finds what it does`;
    return new HttpError(404, 'unknown-symbol', message);
  }
  const symbols = market.symbols();
  if (symbols.length < SYMBOLS_MAX || symbols.includes(symbol)) return undefined;
  const message = `${SYMBOLS_MAX} symbols are followed, the most there can be: remove one first`;
  return new HttpError(409, 'too-many-symbols', message);
}

function removalFault(
  symbol: MarketSymbol,
  { market, news }: SymbolsApiOptions,
): HttpError | undefined {
  if (news.source().kind === 'recording') return recordingFault();
  const symbols = market.symbols();
  if (!symbols.includes(symbol)) {
    return new HttpError(404, 'unknown-symbol', `"${symbol}" is not followed; /api/v1/symbols is`);
  }
  if (symbols.length > 1) return undefined;
  const message = `"${symbol}" is the last symbol: add another before it is removed`;
  return new HttpError(409, 'last-symbol', message);
}

function recordingFault(): HttpError {
  return new HttpError(
    409,
    'recording',
    'A recording plays what was recorded: no symbol can be added or removed',
  );
}

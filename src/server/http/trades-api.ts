// Trades over HTTP, where they are kept: page by page, and which of them made a candle. Every answer names its source (I10).
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AggTrade } from '../../core/market/agg-trade.ts';
import { INTERVALS } from '../../core/market/interval.ts';
import { formatParts } from '../../protocol/agg-trade-record.ts';
import type { CandleExplanation, TradeEntry } from '../../protocol/browser.ts';
import { symbolField } from '../../protocol/candle-record.ts';
import type { LiveMarket } from '../../stages/live-market.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import { readCandles } from '../candle-window.ts';
import { explainCandle } from '../explain-candle.ts';
import type { FeedNews } from '../feed-news.ts';
import { isNotKept, readTrades } from '../trade-window.ts';
import { demandSymbol } from './demand-symbol.ts';
import { HttpError } from './error-body.ts';
import { parseQuery, timeParameter, whole } from './query.ts';

const TRADES_DEFAULT = 500;
export const TRADES_MAX = 1_000;

const tradesQuery = z
  .object({
    symbol: symbolField,
    /** The first trade's `a`. */
    fromId: whole.optional(),
    /** Trade times, both inclusive. */
    startTime: timeParameter.optional(),
    endTime: timeParameter.optional(),
    limit: whole.pipe(z.number().min(1).max(TRADES_MAX)).default(TRADES_DEFAULT),
  })
  .refine(
    ({ fromId, startTime, endTime }) =>
      fromId === undefined || (startTime === undefined && endTime === undefined),
    { path: ['fromId'], error: 'expected fromId or times, not both' },
  );

const explainQuery = z.object({
  symbol: symbolField,
  interval: z.enum(INTERVALS),
  openTime: timeParameter,
});

export interface TradesApiOptions {
  readonly market: LiveMarket;
  readonly store: CandleStore;
  readonly news: FeedNews;
}

export function registerTradesApi(app: FastifyInstance, options: TradesApiOptions): void {
  const { market, store, news } = options;

  app.get('/api/v1/trades', async (request) => {
    const { symbol, fromId, startTime, endTime, limit } = parseQuery(tradesQuery, request.query);
    demandSymbol(market, symbol, 'trades');
    const asked = { fromId, startTime, endTime, limit };
    const found = await readTrades(store, market, symbol, asked);
    if (isNotKept(found)) throw notKept(found.notKept, found.oldest);
    return { source: news.source(), symbol, trades: found.map(tradeEntry) };
  });

  app.get('/api/v1/trades/explain', async (request): Promise<CandleExplanation> => {
    const { symbol, interval, openTime } = parseQuery(explainQuery, request.query);
    demandSymbol(market, symbol, 'trades');
    const window = { symbol, interval, from: openTime, to: openTime } as const;
    const [candle] = await readCandles(store, market, { ...window, limit: 1, take: 'first' });
    if (candle === undefined) {
      throw new HttpError(
        404,
        'unknown-candle',
        `No ${interval} candle of ${symbol} opens at ${openTime}; /api/v1/candles lists those that are kept`,
      );
    }
    const { open, high, low, close, complete } = await explainCandle({ store, market }, candle);
    return {
      source: news.source(),
      ...{ symbol, interval, openTime, revision: candle.revision, complete },
      open: entryOrNull(open),
      high: entryOrNull(high),
      low: entryOrNull(low),
      close: entryOrNull(close),
    };
  });
}

function notKept(parameter: string, oldest: AggTrade | undefined): HttpError {
  const kept =
    oldest === undefined
      ? 'none is kept here: start with --keep-trades'
      : `the oldest kept here is ${oldest.aggTradeId} of ${oldest.tradeTime}`;
  return new HttpError(
    404,
    'not-kept',
    `Parameter "${parameter}": expected trades that are kept without a gap; ${kept}`,
  );
}

function entryOrNull(trade: AggTrade | undefined): TradeEntry | null {
  return trade === undefined ? null : tradeEntry(trade);
}

/** As the exchange's `aggTrades` has it. */
function tradeEntry(trade: AggTrade): TradeEntry {
  return {
    a: trade.aggTradeId,
    p: formatParts(trade.priceInteger, trade.priceFraction),
    q: formatParts(trade.quantityInteger, trade.quantityFraction),
    f: trade.firstTradeId,
    l: trade.lastTradeId,
    T: trade.tradeTime,
    m: trade.buyerIsMaker,
    M: true,
  };
}

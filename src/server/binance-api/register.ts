// Binance's shape of the API: REST under /api/v3, streams at /ws and /stream. Offers only what aggregate trades can tell.
import type { FastifyInstance } from 'fastify';
import type { Interval } from '../../core/market/interval.ts';
import type { Clock } from '../../core/market/time.ts';
import type { LiveMarket } from '../../stages/live-market.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import type { FeedNews } from '../feed-news.ts';

export interface BinanceApiOptions {
  readonly market: LiveMarket;
  readonly store: CandleStore;
  readonly news: FeedNews;
  readonly intervals: readonly Interval[];
  readonly clock: Clock;
}

export async function registerBinanceApi(
  _app: FastifyInstance,
  _options: BinanceApiOptions,
): Promise<Disposable & { readonly connections: number }> {
  return { connections: 0, [Symbol.dispose]: () => undefined };
}

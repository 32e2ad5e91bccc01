// Binance's shape of the API: REST under /api/v3, streams at /ws and /stream. Offers only what aggregate trades can tell.
import type { FastifyInstance } from 'fastify';
import type { Interval } from '../../core/market/interval.ts';
import type { Clock } from '../../core/market/time.ts';
import type { LiveMarket } from '../../stages/live-market.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import type { FeedNews } from '../feed-news.ts';
import { registerRest } from './rest.ts';
import type { StreamHub } from './stream-hub.ts';
import { registerStreams } from './streams.ts';

export interface BinanceApiOptions {
  readonly market: LiveMarket;
  readonly store: CandleStore;
  readonly news: FeedNews;
  readonly intervals: readonly Interval[];
  readonly clock: Clock;
  readonly streams: StreamHub;
}

export async function registerBinanceApi(
  app: FastifyInstance,
  options: BinanceApiOptions,
): Promise<void> {
  await app.register(async (scope) => registerRest(scope, options), { prefix: '/api/v3' });
  registerStreams(app, options);
}

// Our own API: symbols, candles with revisions, health. Every answer names its source (I10).
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { INTERVALS, type Interval } from '../../core/market/interval.ts';
import { addMs, type Clock, epochMs } from '../../core/market/time.ts';
import { type CandlePage, SNAPSHOT_CANDLES_MAX } from '../../protocol/browser.ts';
import { symbolField } from '../../protocol/candle-record.ts';
import type { LiveMarket } from '../../stages/live-market.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import type { AuditDays } from '../audit-days.ts';
import { type AuditsByMinute, auditsOf } from '../audit-window.ts';
import { auditedRow } from '../candle-row.ts';
import { readCandlePage, readNextCandles } from '../candle-window.ts';
import type { FeedNews } from '../feed-news.ts';
import type { SourceView } from '../source-view.ts';
import { registerAudits } from './audits.ts';
import { demandSymbol } from './demand-symbol.ts';
import { parseQuery, timeParameter, whole } from './query.ts';

const CANDLES_DEFAULT = 500;

const NO_AUDITS: AuditsByMinute = new Map();

const candlesQuery = z
  .object({
    symbol: symbolField,
    interval: z.enum(INTERVALS),
    /** Open time; the page ends before it. */
    before: timeParameter.optional(),
    /** Open time; the page begins after it, however long the gap there. */
    after: timeParameter.optional(),
    limit: whole.pipe(z.number().min(1).max(SNAPSHOT_CANDLES_MAX)).default(CANDLES_DEFAULT),
  })
  .refine(({ before, after }) => before === undefined || after === undefined, {
    path: ['after'],
    error: 'expected one of before and after',
  });

type CandlesQuery = z.output<typeof candlesQuery>;

/** Numbers of each stage for people and alarms: queue depths, lag, counts. */
export type StageNumbers = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface ApiV1Options {
  readonly market: LiveMarket;
  readonly store: CandleStore;
  readonly news: FeedNews;
  readonly intervals: readonly Interval[];
  readonly version: string;
  readonly clock: Clock;
  readonly stages: () => StageNumbers;
  /** Open WebSockets by protocol. */
  readonly connections: () => Readonly<Record<string, number>>;
  readonly auditDays: AuditDays;
}

export function registerApiV1(app: FastifyInstance, options: ApiV1Options): void {
  const { market, store, news, intervals, version, clock } = options;
  const startedAt = clock.now();
  registerAudits(app, options);

  async function readPage({ symbol, interval, before, after, limit }: CandlesQuery) {
    if (after !== undefined) {
      const next = { symbol, interval, from: addMs(after, 1), limit };
      // What is before is no news to who asks for what is after.
      return { candles: await readNextCandles(store, market, next), more: true };
    }
    const to = before === undefined ? {} : { to: addMs(epochMs(Math.max(before, 1)), -1) };
    return readCandlePage(store, market, { symbol, interval, ...to, limit });
  }

  app.get(
    '/api/v1/candles',
    async (request): Promise<CandlePage & { readonly source: SourceView }> => {
      const query = parseQuery(candlesQuery, request.query);
      const { symbol, interval } = query;
      demandSymbol(market, symbol, 'candles');
      const page = await readPage(query);
      const { candles } = page;
      const audits = interval === '1m' ? await auditsOf(store, market, symbol, candles) : NO_AUDITS;
      return {
        source: news.source(),
        candles: candles.map((candle) => auditedRow(candle, audits.get(candle.openTime))),
        more: page.more,
      };
    },
  );

  app.get('/api/v1/symbols', async () => ({
    source: news.source(),
    symbols: market.symbols(),
    intervals,
  }));

  app.get('/api/v1/health', async () => {
    const { rss, heapUsed, external } = process.memoryUsage();
    return {
      source: news.source(),
      version,
      node: process.version,
      feed: news.view(),
      startedAt,
      uptimeMs: clock.now() - startedAt,
      memory: { rssBytes: rss, heapUsedBytes: heapUsed, externalBytes: external },
      connections: options.connections(),
      stages: options.stages(),
    };
  });
}

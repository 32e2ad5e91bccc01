// Verdicts over HTTP: minute by minute with both candles where they differ, and a day's standing. Every answer names its source (I10).
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { auditJson } from '../../protocol/audit-record.ts';
import type { AuditSummary } from '../../protocol/browser.ts';
import { symbolField } from '../../protocol/candle-record.ts';
import type { LiveMarket } from '../../stages/live-market.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import type { AuditDays } from '../audit-days.ts';
import { readAudits } from '../audit-window.ts';
import type { FeedNews } from '../feed-news.ts';
import type { SourceView } from '../source-view.ts';
import { demandSymbol } from './demand-symbol.ts';
import { parseQuery, timeParameter, whole } from './query.ts';

const AUDITS_DEFAULT = 500;
export const AUDITS_MAX = 2_000;

const auditsQuery = z.object({
  symbol: symbolField,
  /** Least and greatest open time, both inclusive. */
  from: timeParameter.optional(),
  to: timeParameter.optional(),
  limit: whole.pipe(z.number().min(1).max(AUDITS_MAX)).default(AUDITS_DEFAULT),
});

const summaryQuery = z.object({
  symbol: symbolField,
  /** Any time of the UTC day; the newest day with a closed minute where it is left out. */
  day: timeParameter.optional(),
});

export interface AuditRouteOptions {
  readonly market: LiveMarket;
  readonly store: CandleStore;
  readonly news: FeedNews;
  readonly auditDays: AuditDays;
}

export function registerAudits(app: FastifyInstance, options: AuditRouteOptions): void {
  const { market, store, news, auditDays } = options;

  /** Ascending; of more than `limit` the newest, and `more` says that there are older ones. */
  app.get('/api/v1/audits', async (request) => {
    const { symbol, from, to, limit } = parseQuery(auditsQuery, request.query);
    demandSymbol(market, symbol, 'audits');
    const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    const query = { symbol, ...range, limit: limit + 1, take: 'last' } as const;
    const audits = await readAudits(store, market, query);
    return {
      source: news.source(),
      audits: audits.slice(-limit).map(auditJson),
      more: audits.length > limit,
    };
  });

  app.get(
    '/api/v1/audits/summary',
    async (request): Promise<AuditSummary & { readonly source: SourceView }> => {
      const { symbol, day } = parseQuery(summaryQuery, request.query);
      demandSymbol(market, symbol, 'audits');
      const standing =
        day === undefined ? await auditDays.newest(symbol) : await auditDays.on(symbol, day);
      return { source: news.source(), symbol, ...standing };
    },
  );
}

// The JSON of `feed_status`.
import { z } from 'zod';
import type { FeedStatus, SymbolFeedState } from '../core/market/feed-status.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import { parseJson, timeField } from './candle-record.ts';

export const sourceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('binance'), host: z.string().min(1) }),
  z
    .object({
      kind: z.literal('simulated'),
      seed: z.number().int(),
      tradesPerSecond: z.number().positive().optional(),
    })
    .transform(({ kind, seed, tradesPerSecond }) => ({
      kind,
      seed,
      ...(tradesPerSecond === undefined ? {} : { tradesPerSecond }),
    })),
  z.object({ kind: z.literal('recording'), name: z.string().min(1) }),
]);

const feedStatusSchema = z.object({
  source: sourceSchema,
  state: z.enum(['connecting', 'catching-up', 'live', 'repairing', 'stale', 'offline']),
  since: timeField,
  reason: z.string().optional(),
  at: timeField,
  clockOffsetMs: z.number().optional(),
  symbols: z.record(z.string(), z.enum(['catching-up', 'repairing', 'stale'])),
  feedDelayMs: z.number().optional(),
});

export function encodeFeedStatus(status: FeedStatus): string {
  return JSON.stringify(status);
}

/** @throws DecodeError */
export function decodeFeedStatus(text: string): FeedStatus {
  const { reason, clockOffsetMs, feedDelayMs, symbols, ...rest } = parseJson(
    feedStatusSchema,
    text,
    'a feed status',
  );
  return {
    ...rest,
    symbols: symbols as Record<MarketSymbol, SymbolFeedState>,
    ...(reason === undefined ? {} : { reason }),
    ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
    ...(feedDelayMs === undefined ? {} : { feedDelayMs }),
  };
}

// For machines that watch this one: is the process up, can it answer, what does it count. Decides nothing else.
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { Interval } from '../../core/market/interval.ts';
import type { LiveMarket } from '../../stages/live-market.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import { errorBody } from './error-body.ts';

export interface ProbesOptions {
  readonly market: LiveMarket;
  readonly store: CandleStore;
  readonly intervals: readonly Interval[];
  readonly metrics: Registry;
}

export function registerProbes(app: FastifyInstance, options: ProbesOptions): void {
  app.get('/healthz', async () => ({ status: 'up' }));

  app.get('/readyz', async (_request, reply) => {
    const reason = await notReadyReason(options);
    if (reason === undefined) return { status: 'ready' };
    return reply.code(503).send(errorBody('not-ready', reason));
  });

  app.get('/metrics', async (_request, reply) => {
    const text = await options.metrics.metrics();
    return reply.type(options.metrics.contentType).send(text);
  });
}

/** Undefined where there is something to answer with: an open or closed candle here, or history in the store. */
async function notReadyReason(options: ProbesOptions): Promise<string | undefined> {
  const { market, intervals } = options;
  const symbols = market.symbols();
  const isLive = symbols.some((symbol) =>
    intervals.some(
      (interval) =>
        market.live(symbol, interval) !== undefined ||
        market.closedTail(symbol, interval).length > 0,
    ),
  );
  try {
    if (isLive || (await hasHistory(options))) return undefined;
  } catch (cause) {
    return `The candle store does not answer: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
  return `No candle yet of ${symbols.slice(0, 10).join(', ')}; the feed is ${market.status()?.state ?? 'not heard of'}`;
}

async function hasHistory({ market, store, intervals }: ProbesOptions): Promise<boolean> {
  // One interval is enough: they are back-filled together.
  const interval = intervals.includes('1m') ? '1m' : intervals[0];
  if (interval === undefined) return false;
  for (const symbol of market.symbols()) {
    if ((await store.lastOpenTime(symbol, interval)) !== undefined) return true;
  }
  return false;
}

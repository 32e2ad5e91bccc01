// All stages in one process on the in-process log: what `up` and `replay` run. Picks the adapters; nothing else does.
import { join } from 'node:path';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import type { Interval } from '../core/market/interval.ts';
import { symbolOfTick } from '../core/market/raw-tick.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { Clock } from '../core/market/time.ts';
import type { MarketFeed } from '../feed/market-feed.ts';
import type { Log } from '../log/log.ts';
import { memoryLog } from '../log/memory/memory-log.ts';
import { createServer } from '../server/create-server.ts';
import { aggregate, aggregateCounts } from '../stages/aggregate.ts';
import { type IngestCounters, ingest } from '../stages/ingest.ts';
import { persist } from '../stages/persist.ts';
import { serve } from '../stages/serve.ts';
import type { CandleStore } from '../store/candle-store.ts';
import type { Config } from './config.ts';
import { continues, readSeed, readStarts } from './open-store.ts';

export interface Pipeline extends AsyncDisposable {
  /** Where the dashboard is. */
  readonly url: string;
  readonly log: Log;
  /** Resolves when the feed has ended by itself (a recording); rejects when a stage failed. */
  readonly ended: Promise<void>;
}

export interface ComposeOptions {
  readonly config: Config;
  readonly symbols: readonly MarketSymbol[];
  readonly intervals: readonly Interval[];
  readonly feed: MarketFeed;
  readonly store: CandleStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  /** Called with the log before the first record is written: for a reader of `raw_ticks`. */
  readonly onLog?: (log: Log) => void;
}

const DASHBOARD_DIR = join(import.meta.dirname, '../../web/dist');

/**
 * Opens the port, then starts the stages from the last to the first: each topic has its readers
 * before its writer.
 */
export async function compose(options: ComposeOptions): Promise<Pipeline> {
  const { config, symbols, intervals, feed, store, clock, logger, version } = options;
  await using opening = new AsyncDisposableStack();
  const intake = new AbortController();
  const rest = new AbortController();
  const log = opening.use(memoryLog({ clock }));
  options.onLog?.(log);

  const counts = aggregateCounts();
  const ingestion = { trades: 0, rejected: 0, history: 0 };
  const persistence = { failing: 0, lostCandles: 0 };
  const market = serve({ log, symbols, intervals, clock, logger, signal: rest.signal });
  const server = opening.use(
    await createServer({
      market,
      store,
      intervals,
      host: config.host,
      port: config.port,
      ...(config.accessToken === undefined ? {} : { accessToken: config.accessToken }),
      allowedHosts: config.allowedHosts,
      version,
      dashboardDir: DASHBOARD_DIR,
      clock,
      logger,
      metrics: new Registry(),
      source: feed.source,
      stages: () => ({
        ingest: { ...ingestion },
        aggregate: { ...counts },
        persist: { ...persistence },
      }),
    }),
  );
  const url = await server.listen();

  const starts = await readStarts(store, symbols, feed.source);
  const resumeFrom = new Map(starts.map((start) => [start.symbol, start.resumeFrom]));
  const stages = [
    market.done,
    persist({
      log,
      store,
      intervals,
      clock,
      keepSecondsMs: config.keepSecondsMs,
      logger,
      onState: ({ state, lostCandles }) => {
        persistence.failing = state === 'failing' ? 1 : 0;
        persistence.lostCandles = lostCandles;
      },
      signal: rest.signal,
    }),
    aggregate({
      log,
      intervals,
      clock,
      restore: async (first) => {
        const symbol = symbolOfTick(first);
        const from = resumeFrom.get(symbol);
        if (from === undefined || !continues(first, from)) return undefined;
        return readSeed(store, symbol, from);
      },
      logger,
      counts,
      signal: rest.signal,
    }),
  ];
  const feedEnd = Promise.withResolvers<void>();
  const ingested = ingest({
    feed,
    log,
    store,
    starts,
    clock,
    logger,
    counters: countersOf(ingestion),
    onEnded: feedEnd.resolve,
    signal: intake.signal,
  });
  const feedEnded = Promise.race([feedEnd.promise, ingested]);
  const ended = Promise.race([feedEnded, ...stages.map((stage) => stage.then(() => feedEnded))]);
  // Whoever awaits `ended` is told of a failure; nobody may, when the pipeline is closed first.
  ended.catch(() => undefined);

  opening.defer(async () => {
    intake.abort();
    await Promise.allSettled([ingested]);
    rest.abort();
    await Promise.allSettled(stages);
  });
  const stack = opening.move();
  return { url, log, ended, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function countersOf(counts: { trades: number; rejected: number; history: number }): IngestCounters {
  return {
    onTrades: (count) => {
      counts.trades += count;
    },
    onRejected: (count) => {
      counts.rejected += count;
    },
    onHistory: (candles) => {
      counts.history += candles;
    },
  };
}

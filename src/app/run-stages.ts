// The stages of one process, on the in-process log or a shared one, put together: what `up` shows through its server, and what the simulation runs under a
// virtual clock. Opens no port and no store, reads no clock but the one it is given.
import type { Logger } from 'pino';
import type { Interval } from '../core/market/interval.ts';
import type { SymbolWish } from '../core/market/listing.ts';
import { type RawTick, symbolOfTick } from '../core/market/raw-tick.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { Clock, DurationMs } from '../core/market/time.ts';
import { wishedSymbols } from '../core/market/wished-symbols.ts';
import type { MarketFeed, StartPoint } from '../feed/market-feed.ts';
import type { AnyLogRecord, Log } from '../log/log.ts';
import { memoryLog } from '../log/memory/memory-log.ts';
import { SYMBOLS } from '../protocol/topics.ts';
import { aggregate, aggregateCounts, LIVE_UPDATE_KAFKA_MS } from '../stages/aggregate.ts';
import { audit, auditCounts } from '../stages/audit.ts';
import { type IngestCounters, ingest } from '../stages/ingest.ts';
import type { LiveMarket } from '../stages/live-market.ts';
import { persist } from '../stages/persist.ts';
import { serve } from '../stages/serve.ts';
import type { CandleStore } from '../store/candle-store.ts';
import { continues, readSeed, readStarts } from './open-store.ts';

export interface StagesOptions {
  readonly symbols: readonly MarketSymbol[];
  readonly intervals: readonly Interval[];
  readonly feed: MarketFeed;
  readonly store: CandleStore;
  readonly keepSecondsMs: DurationMs;
  /** Default: trades are not kept. */
  readonly keepTradesMs?: DurationMs;
  /** Default: the stage's own. */
  readonly liveUpdateMs?: DurationMs;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A log that outlives the process and has other readers too; closed at the end. Default: one in this process. */
  readonly sharedLog?: Log;
}

export interface Stages extends AsyncDisposable {
  readonly log: Log;
  readonly market: LiveMarket;
  /** What each stage has counted so far, by its name. */
  counts(): Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Why the store takes nothing now; undefined while it does. */
  storeFault(): string | undefined;
  /**
   * Starts what writes, the last stage first, so that each topic has its readers before its writer. Its
   * `ended` resolves when the feed has ended by itself (a recording), and rejects when a stage failed.
   */
  start(): Promise<{ readonly ended: Promise<void> }>;
}

/** The log and its readers for the screen; nothing is written before `start`. */
export function openStages(options: StagesOptions): Stages {
  const { symbols, intervals, feed, store, clock, logger } = options;
  const intake = new AbortController();
  const rest = new AbortController();
  const { sharedLog } = options;
  const log = sharedLog ?? memoryLog({ clock });
  const aggregation = aggregateCounts();
  const auditing = auditCounts();
  // A recording is of the past: there is no exchange left to ask, and its candles are the trades' by themselves (I7).
  const isAudited = feed.source.kind !== 'recording';
  const ingestion = { trades: 0, rejected: 0, history: 0 };
  const persistence = { failing: 0, lostCandles: 0, lostTrades: 0 };
  let storeFault: string | undefined;
  const market = serve({ log, symbols, intervals, clock, logger, signal: rest.signal });
  const stages: Promise<void>[] = [market.done];
  let ingested: Promise<void> | undefined;

  return {
    log,
    market,
    counts: () => ({
      ingest: { ...ingestion, ...feed.counts?.() },
      aggregate: { ...aggregation },
      persist: { ...persistence },
      ...(isAudited ? { audit: { ...auditing } } : {}),
    }),
    storeFault: () => storeFault,
    async start() {
      const { named, wishes } = wishedSymbols(symbols, await store.symbolWishes());
      tellWishes(wishes, symbols, logger);
      await log.append(wishes.map(wishRecord));
      const starts = await readStarts(store, named, feed.source);
      const resumeFrom = new Map(starts.map((start) => [start.symbol, start.resumeFrom]));
      const startOf = async (symbol: MarketSymbol): Promise<StartPoint> => {
        const [start = { symbol, resumeFrom: undefined }] = await readStarts(
          store,
          [symbol],
          feed.source,
        );
        // Its aggregation begins where its trades do.
        resumeFrom.set(symbol, start.resumeFrom);
        return start;
      };
      const restore = async (first: RawTick) => {
        const symbol = symbolOfTick(first);
        const from = resumeFrom.get(symbol);
        if (from === undefined || !continues(first, from)) return undefined;
        return readSeed(store, symbol, from);
      };
      stages.push(
        persist({
          log,
          store,
          intervals,
          clock,
          keepSecondsMs: options.keepSecondsMs,
          ...(options.keepTradesMs === undefined ? {} : { keepTradesMs: options.keepTradesMs }),
          logger,
          onState: ({ state, reason, lostCandles, lostTrades }) => {
            storeFault = state === 'failing' ? (reason ?? 'no reason given') : undefined;
            persistence.failing = state === 'failing' ? 1 : 0;
            persistence.lostCandles = lostCandles;
            persistence.lostTrades = lostTrades;
          },
          signal: rest.signal,
        }),
        aggregate({
          log,
          intervals,
          clock,
          // A shared log keeps the state itself.
          ...(sharedLog === undefined ? { restore } : { liveUpdateMs: LIVE_UPDATE_KAFKA_MS }),
          ...(options.liveUpdateMs === undefined ? {} : { liveUpdateMs: options.liveUpdateMs }),
          logger,
          counts: aggregation,
          signal: rest.signal,
        }),
      );
      if (isAudited) {
        const { signal } = rest;
        stages.push(audit({ log, store, clock, logger, counts: auditing, signal }));
      }
      const feedEnd = Promise.withResolvers<void>();
      ingested = ingest({
        feed,
        log,
        store,
        starts,
        startOf,
        clock,
        logger,
        counters: countersOf(ingestion),
        onEnded: feedEnd.resolve,
        signal: intake.signal,
      });
      const feedEnded = Promise.race([feedEnd.promise, ingested]);
      const ended = Promise.race([
        feedEnded,
        ...stages.map((stage) => stage.then(() => feedEnded)),
      ]);
      // Whoever awaits `ended` is told of a failure; nobody may, when the stages are closed first.
      ended.catch(() => undefined);
      return { ended };
    },
    async [Symbol.asyncDispose]() {
      intake.abort();
      await Promise.allSettled([ingested]);
      rest.abort();
      await Promise.allSettled(stages);
      await log[Symbol.asyncDispose]();
    },
  };
}

/** For the log: what the user wishes to follow. */
export function wishRecord(value: SymbolWish): AnyLogRecord {
  return { topic: SYMBOLS, key: value.symbol, value, timestamp: value.at };
}

function tellWishes(
  wishes: readonly SymbolWish[],
  named: readonly MarketSymbol[],
  logger: Logger,
): void {
  for (const { symbol, wanted, at } of wishes) {
    if (wanted || !named.includes(symbol)) continue;
    const when = new Date(at).toISOString();
    logger.warn(
      `${symbol} is not followed: it was removed at ${when}. Add it again in the dashboard.`,
    );
  }
}

export function countersOf(counts: {
  trades: number;
  rejected: number;
  history: number;
}): IngestCounters {
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

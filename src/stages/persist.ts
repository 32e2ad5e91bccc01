// Stage: closed candles and corrections → the candle store. Poll, write, commit; a failing store is retried and told of, never passed over in silence.
// Decides nothing about candles: which revision counts is the store's rule.
import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Candle } from '../core/market/candle.ts';
import type { Interval } from '../core/market/interval.ts';
import {
  addMs,
  type Clock,
  DAY_MS,
  type DurationMs,
  type EpochMs,
  epochMs,
  MINUTE_MS,
} from '../core/market/time.ts';
import type { Log, LogConsumer } from '../log/log.ts';
import { OHLCV } from '../protocol/topics.ts';
import type { CandleStore } from '../store/candle-store.ts';
import { type Refused, writeInRange, writeUntilDone } from './write-candles.ts';

export const KEEP_SECONDS_MS: DurationMs = DAY_MS;

/** Candles written at once, about: the embedded store is synchronous, and some 10 ms delay no chart. */
export const WRITE_CANDLES_MAX = 2_000;

const PRUNE_INTERVAL_MS: DurationMs = MINUTE_MS;
const IDLE_POLL_MS: DurationMs = 1_000;

/** Polls of what is left in the log at the end: more than its bound holds. */
const DRAIN_POLLS_MAX = 100;

export interface PersistState {
  /** failing: the store takes nothing now; the log keeps what it can, and writing is tried again. */
  readonly state: 'writing' | 'failing';
  readonly reason?: string;
  /** Closed candles that this store lacks since the start: dropped at the log's bound, or beyond the store's range. */
  readonly lostCandles: number;
}

export interface PersistOptions {
  readonly log: Log;
  readonly store: CandleStore;
  readonly intervals: readonly Interval[];
  readonly clock: Clock;
  /** How long 1s candles are kept, counted back from the newest candle. Default 24 h. */
  readonly keepSecondsMs?: DurationMs;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>;
  /** At each change of what it tells. Must not throw. */
  readonly onState?: (state: PersistState) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs until `signal` aborts, then writes what the log still has, without retrying, and ends
 * quietly. Reads as group `persist`, registered before the first await. What was not written is not
 * committed: it comes again, and writing twice is harmless.
 */
export async function persist(options: PersistOptions): Promise<void> {
  const { log, store, intervals, clock, logger, signal } = options;
  await using consumer = log.consumer({
    group: 'persist',
    topics: intervals.map((interval) => OHLCV[interval]),
  });
  const report = reporter(consumer, options);
  const prune = pruner(options);
  const onFailure = (error: unknown, retryMs: DurationMs): void => {
    report.dropped();
    report.failed(error, `trying again in ${retryMs} ms`);
  };
  while (!signal.aborted) {
    const candles = await pollCandles(consumer, IDLE_POLL_MS, signal);
    report.dropped();
    for (const batch of batchesOf(candles)) {
      const refused = await writeUntilDone({ store, candles: batch, clock, onFailure, signal });
      report.dropped();
      if (refused === undefined) return;
      report.written(batch.length, refused);
      // Sockets and timers have their turn between the parts of a backlog.
      if (batch.length < candles.length) await setImmediate();
    }
    if (candles.length === 0) continue;
    await consumer.commit([]);
    await prune(candles);
  }
  await drain();

  async function drain(): Promise<void> {
    const { signal: never } = new AbortController();
    try {
      for (let polls = 0; polls < DRAIN_POLLS_MAX; polls++) {
        const candles = await pollCandles(consumer, 0, never);
        if (candles.length === 0) return;
        for (const batch of batchesOf(candles)) {
          report.written(batch.length, await writeInRange(store, batch));
        }
        await consumer.commit([]);
      }
      logger.warn(`Ended while the log still had candles after ${DRAIN_POLLS_MAX} polls`);
    } catch (error) {
      report.failed(error, 'ended; what is missing is folded anew at the next start');
    }
  }
}

async function pollCandles(
  consumer: LogConsumer<Candle>,
  timeoutMs: DurationMs,
  signal: AbortSignal,
): Promise<readonly Candle[]> {
  const records = await consumer.poll({ timeoutMs, signal });
  return records.map(({ value }) => value);
}

/**
 * Parts of about `WRITE_CANDLES_MAX`, in order. A minute and the longer candles that follow from it
 * stay in one part: a kill between two parts then leaves no minute without them.
 */
function* batchesOf(candles: readonly Candle[]): Generator<readonly Candle[]> {
  let start = 0;
  for (const [index, { interval }] of candles.entries()) {
    if (index - start < WRITE_CANDLES_MAX) continue;
    if (interval !== '1s' && interval !== '1m') continue;
    yield candles.slice(start, index);
    start = index;
  }
  if (start < candles.length) yield candles.slice(start);
}

interface Reporter {
  dropped(): void;
  written(count: number, refused: readonly Refused[]): void;
  failed(error: unknown, next: string): void;
}

/** Tells the log file and `onState` what changed. */
function reporter(consumer: LogConsumer<Candle>, options: PersistOptions): Reporter {
  const { logger, onState } = options;
  let state: PersistState = { state: 'writing', lostCandles: 0 };
  let droppedSeen = 0;

  const change = (changes: Partial<PersistState>): void => {
    state = { ...state, ...changes };
    onState?.(state);
  };

  return {
    dropped() {
      const count = consumer.dropped - droppedSeen;
      if (count === 0) return;
      droppedSeen = consumer.dropped;
      logger.error(
        `The store has fallen behind: ${count} candles were dropped before it took them`,
      );
      change({ lostCandles: state.lostCandles + count });
    },
    written(count, refused) {
      logger.debug(`Stored ${count - refused.length} candles`);
      for (const { candle, error } of refused) {
        logger.error({ candle: identityOf(candle) }, `Candle not stored: ${error.message}`);
      }
      const lostCandles = state.lostCandles + refused.length;
      if (state.state === 'failing') {
        logger.info('The candle store takes candles again');
        state = { state: 'writing', lostCandles };
        onState?.(state);
      } else if (refused.length > 0) change({ lostCandles });
    },
    failed(error, next) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn(`The candle store failed: ${reason}; ${next}`);
      if (state.state !== 'failing' || state.reason !== reason)
        change({ state: 'failing', reason });
    },
  };
}

/** Removes old 1s candles, at most once a minute. Age is by the candles' own time: a replay of the past keeps its last day. */
function pruner(options: PersistOptions): (candles: readonly Candle[]) => Promise<void> {
  const { store, clock, logger, keepSecondsMs = KEEP_SECONDS_MS } = options;
  let newest: EpochMs = epochMs(0);
  let nextAt: EpochMs | undefined;
  return async (candles) => {
    for (const { closeTime } of candles) if (closeTime > newest) newest = closeTime;
    const now = clock.now();
    if (nextAt !== undefined && now < nextAt) return;
    nextAt = addMs(now, PRUNE_INTERVAL_MS);
    try {
      const count = await store.prune('1s', addMs(newest, -keepSecondsMs));
      if (count > 0) logger.debug(`Removed ${count} 1s candles older than ${keepSecondsMs} ms`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn(`Old 1s candles were not removed: ${reason}; trying again in a minute`);
    }
  };
}

function identityOf({ symbol, interval, openTime }: Candle): object {
  return { symbol, interval, openTime };
}

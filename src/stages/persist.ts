// Stage: closed candles and corrections, and the trades where they are kept, → the candle store. Poll, write, commit; a failing store is retried and told of,
// never passed over in silence. Decides nothing about candles: which revision counts is the store's rule.
import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Candle } from '../core/market/candle.ts';
import type { Interval } from '../core/market/interval.ts';
import { type Clock, DAY_MS, type DurationMs } from '../core/market/time.ts';
import type { Log, LogConsumer } from '../log/log.ts';
import { OHLCV, RAW_TICKS, type Topic } from '../protocol/topics.ts';
import type { CandleStore } from '../store/candle-store.ts';
import { pruner, pruneTrades } from './persist/pruner.ts';
import { type PersistState, reporter } from './persist/reporter.ts';
import { batchesOf, type Persisted, type StoreBatch } from './persist/store-batches.ts';
import { type Refused, untilDone, writeInRange } from './write-candles.ts';

export type { PersistState } from './persist/reporter.ts';
export { WRITE_CANDLES_MAX } from './persist/store-batches.ts';

export const KEEP_SECONDS_MS: DurationMs = DAY_MS;

const IDLE_POLL_MS: DurationMs = 1_000;

/** Trades come one by one: they are gathered for so long, and written at once with the candles among them. */
export const GATHER_MS: DurationMs = 200;

/** Polls of what is left in the log at the end: more than its bound holds. */
const DRAIN_POLLS_MAX = 100;

export interface PersistOptions {
  readonly log: Log;
  readonly store: CandleStore;
  readonly intervals: readonly Interval[];
  readonly clock: Clock;
  /** How long 1s candles are kept, counted back from the newest candle. Default 24 h. */
  readonly keepSecondsMs?: DurationMs;
  /** How long trades are kept, counted likewise. Default: none are written, and those that are there stay. */
  readonly keepTradesMs?: DurationMs;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>;
  /** At each change of what it tells. Must not throw. */
  readonly onState?: (state: PersistState) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs until `signal` aborts, then writes what the log still has, without retrying, and ends
 * quietly. Reads as group `persist`, registered before the first await. What was not written is not
 * committed: it comes again, and writing twice is harmless.
 *
 * In process nothing outlives the log: a start goes on after the last minute in the store. Trades are
 * read with the candles, in the order of the log, so that a minute is never there before its trades.
 * Nobody waits for it: while the store fails the stream goes on, and the log keeps what it can.
 */
export async function persist(options: PersistOptions): Promise<void> {
  const { log, store, intervals, clock, logger, signal, keepTradesMs } = options;
  const keepsTrades = keepTradesMs !== undefined;
  await using consumer = log.consumer<Persisted>({
    group: 'persist',
    topics: topicsOf(intervals, keepsTrades),
    writers: 'unheld',
  });
  const report = reporter(consumer, options);
  const { keepSecondsMs = KEEP_SECONDS_MS } = options;
  const prune = pruner({ store, clock, keepSecondsMs, keepTradesMs, logger });
  const onFailure = (error: unknown, retryMs: DurationMs): void => {
    report.dropped();
    report.failed(error, `trying again in ${retryMs} ms`);
  };

  /** False where it ended before the store took it. */
  async function write(batch: StoreBatch): Promise<boolean> {
    const refused = await untilDone({ clock, onFailure, signal }, () => apply(store, batch));
    report.dropped();
    if (refused === undefined) return false;
    report.written(batch, refused);
    return true;
  }

  while (!signal.aborted) {
    const records = await gather();
    report.dropped();
    const batches = [...batchesOf(records)];
    for (const batch of batches) {
      if (!(await write(batch))) return;
      // Sockets and timers have their turn between the parts of a backlog.
      if (batches.length > 1) await setImmediate();
    }
    if (batches.length === 0) continue;
    await consumer.commit([]);
    await prune(batches.flatMap((batch) => (batch.type === 'write' ? batch.candles : [])));
  }
  await drain();

  async function gather(): Promise<readonly Persisted[]> {
    const first = await pollValues(consumer, IDLE_POLL_MS, signal);
    if (!keepsTrades || first.length === 0) return first;
    await clock.sleep(GATHER_MS, signal);
    return [...first, ...(await pollValues(consumer, 0, signal))];
  }

  async function drain(): Promise<void> {
    const { signal: never } = new AbortController();
    try {
      for (let polls = 0; polls < DRAIN_POLLS_MAX; polls++) {
        const records = await pollValues(consumer, 0, never);
        if (records.length === 0) return;
        for (const batch of batchesOf(records)) {
          const refused = await apply(store, batch);
          report.written(batch, refused);
        }
        await consumer.commit([]);
      }
      logger.warn(`Ended while the log still had candles after ${DRAIN_POLLS_MAX} polls`);
    } catch (error) {
      report.failed(error, 'ended; what is missing is folded anew at the next start');
    }
  }
}

function topicsOf(
  intervals: readonly Interval[],
  keepsTrades: boolean,
): readonly Topic<Persisted>[] {
  const candles: readonly Topic<Candle>[] = intervals.map((interval) => OHLCV[interval]);
  const topics = keepsTrades ? [RAW_TICKS, ...candles] : candles;
  // Nothing is encoded by a reader: each of them decodes to one of the two.
  return topics as readonly Topic<Persisted>[];
}

async function pollValues(
  consumer: LogConsumer<Persisted>,
  timeoutMs: DurationMs,
  signal: AbortSignal,
): Promise<readonly Persisted[]> {
  const records = await consumer.poll({ timeoutMs, signal });
  return records.map(({ value }) => value);
}

async function apply(store: CandleStore, batch: StoreBatch): Promise<readonly Refused[]> {
  if (batch.type === 'write') return writeInRange(store, batch.candles, batch.trades);
  const { symbol, time } = batch.start;
  await pruneTrades(store, { symbol, before: time }, Number.POSITIVE_INFINITY);
  return [];
}

// The port to a log of records: in process (memory) or Apache Kafka. Topics, keys, order per key, consumer groups, commits.
import type { DurationMs, EpochMs } from '../core/market/time.ts';
import type { Topic } from '../protocol/topics.ts';

export interface LogRecord<T> {
  readonly topic: Topic<T>;
  readonly key: string;
  readonly value: T;
  /** Event time: the trade's, or the candle's open time. */
  readonly timestamp: EpochMs;
}

/** Any record, to be written beside others of other topics in one go. */
// biome-ignore lint/suspicious/noExplicitAny: a list of records of differing topics has no common T; each pairs its own topic and value
export type AnyLogRecord = LogRecord<any>;

export interface Log extends AsyncDisposable {
  /**
   * Appends in the order given; resolves when the log has them. Waits where a reader is at its bound;
   * a `signal` that aborts meanwhile rejects with its reason, and none of the records is appended.
   */
  append(
    records: readonly AnyLogRecord[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<void>;
  /** A reader of its own position for each `group`, starting at the earliest record kept. */
  consumer<T>(options: ConsumerOptions<T>): LogConsumer<T>;
}

export interface ConsumerOptions<T> {
  readonly group: string;
  readonly topics: readonly Topic<T>[];
}

/** One reader. Not for two callers at once: `poll`, work, `commit`, and again. */
export interface LogConsumer<T> extends AsyncDisposable {
  /** How many records went at the log's bound before this reader had them; only ever grows. */
  readonly dropped: number;
  /**
   * What has come since the last poll, per key in order, at most `POLL_RECORDS_MAX`; of a compacted
   * topic only each key's newest. Waits up to `timeoutMs` for a first record; empty where none came,
   * or when `signal` aborts.
   */
  poll(options: {
    readonly timeoutMs: DurationMs;
    readonly signal: AbortSignal;
  }): Promise<readonly LogRecord<T>[]>;
  /** In one step: appends `outputs`, and counts everything polled as read. */
  commit(outputs: readonly AnyLogRecord[]): Promise<void>;
}

export const POLL_RECORDS_MAX = 10_000;

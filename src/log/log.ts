// The port to a log of records: in process (memory) or Apache Kafka. Topics, keys, order per key, consumer groups, commits.
import type { DurationMs, EpochMs } from '../core/market/time.ts';
import type { Topic } from '../protocol/topics.ts';

export interface LogRecord<T> {
  readonly topic: Topic<T>;
  readonly key: string;
  readonly value: T;
  /** Event time: the trade's, or the candle's open time. */
  readonly timestamp: EpochMs;
  /**
   * Where a log has partitions: the one it was read from, or is to be written to. Without it the key
   * decides. What follows from a record is written to that record's partition, whoever chose it.
   */
  readonly partition?: number;
}

/** Any record, to be written beside others of other topics in one go. */
// biome-ignore lint/suspicious/noExplicitAny: a list of records of differing topics has no common T; each pairs its own topic and value
export type AnyLogRecord = LogRecord<any>;

export interface Log extends AsyncDisposable {
  /**
   * Appends in the order given; resolves when the log has them. Waits where a reader is at its bound;
   * a `signal` that aborts meanwhile rejects with its reason. In process none of the records is
   * appended then; over a network nobody can tell.
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
  /**
   * - group (default): readers of one name share the partitions and go on where the group has committed
   * - alone: each reader gets everything, however many there are of its name: compacted topics from
   *   their beginning, of the others what comes and some of the newest before. Commits move nothing.
   */
  readonly reading?: 'group' | 'alone';
  /**
   * Within a `poll`, before the first record of a partition that is new to this reader. What it kept
   * of partitions that are no longer its own, or new, is void; what it put out since the last commit
   * that counted, too.
   */
  readonly onAssignment?: (assignment: Assignment) => Promise<void>;
  /**
   * What a reader does to whoever appends, where a topic waits at its bound for its readers (in process):
   * - held (default): appends wait until this group, too, has committed
   * - unheld: they do not wait for it; of what it has not read the oldest go at a bound of its own, and are counted
   */
  readonly writers?: 'held' | 'unheld';
  /** A record that its topic cannot decode: it is passed over. Default: it is an error of `poll`. */
  readonly onUndecodable?: (undecodable: UndecodableRecord) => void;
}

export interface Assignment {
  readonly revoked: readonly number[];
  readonly added: readonly number[];
  /**
   * What is in the `added` partitions of another topic, to its end as of now: a compacted topic
   * wholly, of others what is not older than `since`. The former owners' writing is over.
   */
  tail<T>(topic: Topic<T>, since?: EpochMs): AsyncIterable<readonly LogRecord<T>[]>;
}

export interface UndecodableRecord {
  readonly topicName: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly reason: string;
  /** What came, as text. */
  readonly payload: string;
}

/** One reader. Not for two callers at once: `poll`, work, `commit`, and again. */
export interface LogConsumer<T> extends AsyncDisposable {
  /** How many records went at the log's bound before this reader had them; only ever grows. */
  readonly dropped: number;
  /** The same, of one of its topics. */
  droppedOf(topic: Pick<Topic<T>, 'name'>): number;
  /**
   * What has come since the last poll, per key in order, at most `POLL_RECORDS_MAX`; of a compacted
   * topic only each key's newest. Waits up to `timeoutMs` for a first record; empty where none came,
   * or when `signal` aborts.
   */
  poll(options: {
    readonly timeoutMs: DurationMs;
    readonly signal: AbortSignal;
  }): Promise<readonly LogRecord<T>[]>;
  /**
   * In one step: appends `outputs`, and counts everything polled as read. False: others have this
   * reader's partitions now, neither is done, and the next poll begins with an assignment.
   */
  commit(outputs: readonly AnyLogRecord[]): Promise<boolean>;
}

export const POLL_RECORDS_MAX = 10_000;

/** A fault that trying again cannot mend: the set-up is wrong. Its message names the value and the remedy. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code:
    | 'refused'
    | 'foreign-source'
    | 'differing-partitions'
    | 'differing-topics'
    | 'too-large';

  constructor(code: LogError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

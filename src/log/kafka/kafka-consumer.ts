// One reader of a Kafka log, as the port wants it: polls, works, commits. Joins its group again only between two polls, when nothing is half done.
// Whatever may have been lost to another reader is read again; nothing that is not certain counts as committed.
import type { Clock, DurationMs } from '../../core/market/time.ts';
import type { Topic } from '../../protocol/topics.ts';
import {
  type AnyLogRecord,
  type Assignment,
  type ConsumerOptions,
  type EachOptions,
  type LogConsumer,
  type LogRecord,
  POLL_RECORDS_MAX,
  type PollOptions,
} from '../log.ts';
import { type Keeping, RecordDecoder } from './decode-records.ts';
import type { Fetched, PartitionPosition } from './fetcher.ts';

/** Who decides which partitions a reader has, and what its commits do. */
export interface Reading {
  /** True: `assign` is to be called before anything else. */
  readonly isStale: boolean;
  /** May wait for others; answers what changed. */
  assign(): Promise<AssignmentChange>;
  /** False: others have the partitions now. */
  commit(
    positions: readonly PartitionPosition[],
    outputs: readonly AnyLogRecord[],
  ): Promise<boolean>;
  close(): Promise<void>;
}

export interface AssignmentChange {
  readonly revoked: readonly number[];
  readonly added: readonly number[];
  /** Where all partitions of now begin; those kept go on where they are. */
  readonly starts: readonly PartitionPosition[];
}

export interface KafkaConsumerOptions<T> {
  readonly consumer: ConsumerOptions<T>;
  readonly reading: Reading;
  readonly fetcher: {
    assign(positions: readonly PartitionPosition[]): void;
    take(): Fetched | undefined;
    stop(): void;
  };
  /** By its name in Kafka. */
  readonly topicOf: (name: string) => Topic<T>;
  readonly tail: Assignment['tail'] extends infer Tail
    ? (partitions: readonly number[]) => Tail
    : never;
  readonly clock: Clock;
  readonly onClose: () => Promise<void>;
}

interface Reader<T> extends Fetched {
  readonly decoder: RecordDecoder<T>;
}

export class KafkaConsumer<T> implements LogConsumer<T> {
  dropped = 0;
  private readonly options: KafkaConsumerOptions<T>;
  private readonly decoders = new Map<string, RecordDecoder<T>>();
  /** Next offset to read of each partition, behind what was polled. */
  private readonly positions = new Map<string, PartitionPosition>();
  private readonly closing = new AbortController();
  private current: Reader<T> | undefined;
  private assigning: Promise<AssignmentChange> | undefined;
  private committing: Promise<unknown> = Promise.resolve();
  /** A commit was refused while partitions were being assigned: what was read for it is read again, also of those that are kept. */
  private isVoid = false;
  private wakeUp: (() => void) | undefined;

  constructor(options: KafkaConsumerOptions<T>) {
    this.options = options;
  }

  /** Something has come, or ended: a waiting poll looks again. */
  wake(): void {
    this.wakeUp?.();
  }

  async poll(options: PollOptions): Promise<readonly LogRecord<T>[]> {
    const records: LogRecord<T>[] = [];
    await this.arrived(options, () => {
      while (records.length < POLL_RECORDS_MAX) {
        const record = this.next('kept');
        if (record === undefined) break;
        records.push(record);
      }
      return records.length;
    });
    return newestOfCompacted(records);
  }

  each({ take, ...options }: EachOptions<T>): Promise<number> {
    return this.arrived(options, async () => {
      let count = 0;
      for (; count < POLL_RECORDS_MAX; count++) {
        const record = this.next('passing');
        if (record === undefined) break;
        const taken = take(record);
        if (taken !== undefined) await taken;
      }
      return count;
    });
  }

  async commit(outputs: readonly AnyLogRecord[]): Promise<boolean> {
    this.assertOpen();
    // The group is giving the partitions out anew: under its new generation they may be another's.
    if (this.assigning !== undefined) {
      this.isVoid = true;
      return false;
    }
    const committed = this.options.reading.commit([...this.positions.values()], outputs);
    this.committing = committed.catch(() => false);
    return committed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.closing.signal.aborted) return;
    this.closing.abort();
    this.options.fetcher.stop();
    this.wake();
    await this.options.reading.close();
    await this.options.onClose();
    await this.assigning?.catch(() => undefined);
  }

  /** Calls `take` until it has had a record, the time is over, or `signal` aborts. */
  private async arrived(
    options: PollOptions,
    take: () => number | Promise<number>,
  ): Promise<number> {
    this.assertOpen();
    const { clock } = this.options;
    const signal = AbortSignal.any([options.signal, this.closing.signal]);
    if (this.mustAssign() && !(await this.assign(signal))) return 0;
    const deadline = clock.now() + options.timeoutMs;
    while (!signal.aborted) {
      const count = await take();
      this.settle();
      if (count > 0) return count;
      const leftMs = deadline - clock.now();
      if (leftMs <= 0) return 0;
      await this.arrival(leftMs, signal);
      if (this.mustAssign() && !(await this.assign(signal))) return 0;
    }
    return 0;
  }

  private mustAssign(): boolean {
    return this.assigning !== undefined || this.options.reading.isStale;
  }

  /** False where `signal` aborted first: the next poll goes on with it. */
  private async assign(signal: AbortSignal): Promise<boolean> {
    const { reading, fetcher, consumer, tail } = this.options;
    // A commit that is under way is of the partitions of before.
    this.assigning ??= this.committing.then(() => reading.assign());
    // Nobody may wait for it any more when it fails; then the next poll asks anew.
    this.assigning.catch(() => {
      this.assigning = undefined;
    });
    const change = await Promise.race([this.assigning, aborted(signal)]);
    if (change === undefined) return false;
    const { revoked, starts } = change;
    const added = this.isVoid ? partitionsOf(starts) : change.added;
    const kept = new Map(this.positions);
    this.positions.clear();
    this.current = undefined;
    const isNew = new Set(added);
    for (const start of starts) {
      const key = positionKey(start.topic, start.partition);
      const position = isNew.has(start.partition) ? start : (kept.get(key) ?? start);
      this.positions.set(key, position);
    }
    await consumer.onAssignment?.({ revoked, added, tail: tail(added) });
    // Only now: where the reader could not take it, it is handed over again.
    this.assigning = undefined;
    this.isVoid = false;
    fetcher.assign([...this.positions.values()]);
    return true;
  }

  /** The next record of what has come; undefined where there is none. */
  private next(keeping: Keeping): LogRecord<T> | undefined {
    for (;;) {
      this.current ??= this.nextFetched();
      if (this.current === undefined) return undefined;
      const { cursor, partition, decoder } = this.current;
      while (cursor.next()) {
        const record = decoder.decode(cursor, partition, keeping);
        if (record !== undefined) return record;
      }
      this.settle();
      this.current = undefined;
    }
  }

  private nextFetched(): Reader<T> | undefined {
    const fetched = this.options.fetcher.take();
    return fetched === undefined
      ? undefined
      : { ...fetched, decoder: this.decoderOf(fetched.topic) };
  }

  /** What was walked through until now counts as polled. */
  private settle(): void {
    if (this.current === undefined) return;
    const { topic, partition, cursor } = this.current;
    const key = positionKey(topic, partition);
    this.positions.set(key, { topic, partition, offset: cursor.nextOffset });
  }

  private decoderOf(name: string): RecordDecoder<T> {
    let decoder = this.decoders.get(name);
    if (decoder === undefined) {
      const { consumer, topicOf } = this.options;
      decoder = new RecordDecoder(topicOf(name), consumer.onUndecodable);
      this.decoders.set(name, decoder);
    }
    return decoder;
  }

  private async arrival(timeoutMs: DurationMs, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.wakeUp = () => woken.abort();
    await this.options.clock.sleep(timeoutMs, AbortSignal.any([signal, woken.signal]));
    this.wakeUp = undefined;
  }

  private assertOpen(): void {
    if (!this.closing.signal.aborted) return;
    throw new Error(`The log's consumer of group "${this.options.consumer.group}" is closed`);
  }
}

function partitionsOf(positions: readonly PartitionPosition[]): readonly number[] {
  return [...new Set(positions.map(({ partition }) => partition))];
}

function positionKey(topic: string, partition: number): string {
  return `${topic}:${partition}`;
}

/** Of a compacted topic's records only each key's newest, in its place. */
function newestOfCompacted<T>(records: LogRecord<T>[]): LogRecord<T>[] {
  if (!records.some(({ topic }) => topic.cleanup === 'compact')) return records;
  const newest = new Map<string, LogRecord<T>>();
  for (const record of records) newest.set(`${record.topic.name} ${record.key}`, record);
  return records.filter(
    (record) =>
      record.topic.cleanup === 'delete' ||
      newest.get(`${record.topic.name} ${record.key}`) === record,
  );
}

async function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return undefined;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  signal.addEventListener('abort', () => resolve(undefined), { once: true });
  return promise;
}

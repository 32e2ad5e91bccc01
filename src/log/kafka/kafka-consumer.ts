// One reader of a Kafka log, as the port wants it: polls, works, commits. Joins its group again only between two polls, when nothing is half done.
// Whatever may have been lost to another reader is read again; nothing that is not certain counts as committed.
import type { Clock, DurationMs } from '../../core/market/time.ts';
import type { Topic } from '../../protocol/topics.ts';
import {
  type AnyLogRecord,
  type Assignment,
  type ConsumerOptions,
  type LogConsumer,
  type LogRecord,
  POLL_RECORDS_MAX,
} from '../log.ts';
import { RecordDecoder } from './decode-records.ts';
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

export class KafkaConsumer<T> implements LogConsumer<T> {
  private readonly gone = new Map<string, number>();
  private readonly options: KafkaConsumerOptions<T>;
  private readonly decoders = new Map<string, RecordDecoder<T>>();
  /** Next offset to read of each partition, behind what was polled. */
  private readonly positions = new Map<string, PartitionPosition>();
  private readonly closing = new AbortController();
  private current: Fetched | undefined;
  private assigning: Promise<AssignmentChange> | undefined;
  private wakeUp: (() => void) | undefined;

  constructor(options: KafkaConsumerOptions<T>) {
    this.options = options;
  }

  get dropped(): number {
    return [...this.gone.values()].reduce((sum, count) => sum + count, 0);
  }

  droppedOf({ name }: Pick<Topic<T>, 'name'>): number {
    return this.gone.get(name) ?? 0;
  }

  /** So many were deleted before they were read. */
  drop({ name }: Topic<T>, count: number): void {
    this.gone.set(name, this.droppedOf({ name } as Topic<T>) + count);
  }

  /** Something has come, or ended: a waiting poll looks again. */
  wake(): void {
    this.wakeUp?.();
  }

  async poll(options: {
    readonly timeoutMs: DurationMs;
    readonly signal: AbortSignal;
  }): Promise<readonly LogRecord<T>[]> {
    this.assertOpen();
    const { clock } = this.options;
    const signal = AbortSignal.any([options.signal, this.closing.signal]);
    if (this.mustAssign() && !(await this.assign(signal))) return [];
    const deadline = clock.now() + options.timeoutMs;
    while (!signal.aborted) {
      const records = this.take();
      if (records.length > 0) return records;
      const leftMs = deadline - clock.now();
      if (leftMs <= 0) return [];
      await this.arrival(leftMs, signal);
      if (this.mustAssign() && !(await this.assign(signal))) return [];
    }
    return [];
  }

  async commit(outputs: readonly AnyLogRecord[]): Promise<boolean> {
    this.assertOpen();
    // The group is giving the partitions out anew: under its new generation they may be another's.
    if (this.assigning !== undefined) return false;
    const positions = [...this.positions.values()];
    return this.options.reading.commit(positions, outputs);
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

  private mustAssign(): boolean {
    return this.assigning !== undefined || this.options.reading.isStale;
  }

  /** False where `signal` aborted first: the next poll goes on with it. */
  private async assign(signal: AbortSignal): Promise<boolean> {
    const { reading, fetcher, consumer, tail } = this.options;
    this.assigning ??= reading.assign();
    // Nobody may wait for it any more when it fails; then the next poll asks anew.
    this.assigning.catch(() => {
      this.assigning = undefined;
    });
    const change = await Promise.race([this.assigning, aborted(signal)]);
    if (change === undefined) return false;
    const { revoked, added, starts } = change;
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
    fetcher.assign([...this.positions.values()]);
    return true;
  }

  private take(): LogRecord<T>[] {
    const records: LogRecord<T>[] = [];
    while (records.length < POLL_RECORDS_MAX) {
      this.current ??= this.options.fetcher.take();
      if (this.current === undefined) break;
      if (!this.takeFrom(this.current, records)) this.current = undefined;
    }
    return newestOfCompacted(records);
  }

  /** False once `fetched` is at its end. */
  private takeFrom({ topic, partition, cursor }: Fetched, records: LogRecord<T>[]): boolean {
    const decoder = this.decoderOf(topic);
    let hasMore = true;
    while (records.length < POLL_RECORDS_MAX) {
      hasMore = cursor.next();
      if (!hasMore) break;
      const record = decoder.decode(cursor, partition);
      if (record !== undefined) records.push(record);
    }
    const key = positionKey(topic, partition);
    this.positions.set(key, { topic, partition, offset: cursor.nextOffset });
    return hasMore;
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

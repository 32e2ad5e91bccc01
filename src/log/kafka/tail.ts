// What is in partitions now, to their end: for a state that is read before anything is added to it. Reads committed records only.
import type { EpochMs } from '../../core/market/time.ts';
import type { Topic } from '../../protocol/topics.ts';
import type { LogRecord } from '../log.ts';
import { Cluster, type ConnectionSettings } from './cluster.ts';
import { RecordDecoder } from './decode-records.ts';
import { type Fetched, Fetcher, type PartitionPosition } from './fetcher.ts';
import { offsetsAt } from './offsets.ts';
import type { RetryOptions } from './retry.ts';

export interface TailOptions<T> {
  readonly settings: ConnectionSettings;
  readonly clientId: string;
  readonly topic: Topic<T>;
  /** The topic's name in Kafka. */
  readonly topicName: string;
  readonly partitions: readonly number[];
  readonly since: EpochMs | undefined;
  readonly retry: RetryOptions;
}

/**
 * The end is that of all records, committed or not: a transaction that is still being ended (its
 * owner has been told) is waited for. One list for each partition's part of an answer.
 */
export async function* readTail<T>(
  options: TailOptions<T>,
): AsyncGenerator<readonly LogRecord<T>[]> {
  const { topicName, since, retry, partitions } = options;
  const names = partitions.map((partition) => ({ topic: topicName, partition }));
  if (names.length === 0) return;
  const cluster = new Cluster(options.settings, options.clientId);
  try {
    const starts = await offsetsAt(cluster, names, since ?? 'start', retry);
    const ends = await offsetsAt(cluster, names, 'end', retry);
    const endOf = new Map(ends.map(({ partition, offset }) => [partition, offset]));
    yield* readUntil(options, cluster, starts, endOf);
  } finally {
    await cluster.close();
  }
}

async function* readUntil<T>(
  { topic, retry }: TailOptions<T>,
  cluster: Cluster,
  starts: readonly PartitionPosition[],
  endOf: ReadonlyMap<number, number>,
): AsyncGenerator<readonly LogRecord<T>[]> {
  const open = starts.filter(({ partition, offset }) => offset < (endOf.get(partition) ?? 0));
  const left = new Set(open.map(({ partition }) => partition));
  const decoder = new RecordDecoder(topic, () => undefined);
  const arrivals = new Arrivals(retry.signal);
  const onReady = () => arrivals.wake();
  using fetcher = new Fetcher({ cluster, retry, onReady, onGone: () => undefined });
  fetcher.assign(open);
  while (left.size > 0) {
    retry.signal.throwIfAborted();
    const fetched = fetcher.take();
    if (fetched === undefined) {
      await arrivals.next();
      continue;
    }
    const { partition } = fetched;
    const end = endOf.get(partition) ?? 0;
    const records = recordsBefore(end, fetched, decoder);
    if (records.length > 0) yield records;
    if (fetched.cursor.nextOffset >= end) left.delete(partition);
  }
}

function recordsBefore<T>(
  end: number,
  { cursor, partition }: Fetched,
  decoder: RecordDecoder<T>,
): LogRecord<T>[] {
  const records: LogRecord<T>[] = [];
  while (cursor.next()) {
    const record = decoder.decode(cursor, partition);
    if (record !== undefined && cursor.offset < end) records.push(record);
  }
  return records;
}

/** Something to wait for that may have happened already. */
class Arrivals {
  private pending = Promise.withResolvers<void>();

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => this.wake(), { once: true });
  }

  wake(): void {
    this.pending.resolve();
  }

  async next(): Promise<void> {
    await this.pending.promise;
    this.pending = Promise.withResolvers<void>();
  }
}

// The log on Apache Kafka: the same topics, keys and promises as in one process, for any number of processes. Creates no topics: topic-set.ts does.
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/market/time.ts';
import type { Topic } from '../../protocol/topics.ts';
import {
  type AnyLogRecord,
  type ConsumerOptions,
  type Log,
  type LogConsumer,
  LogError,
} from '../log.ts';
import { AloneReading } from './alone-reading.ts';
import { Cluster, type ConnectionSettings } from './cluster.ts';
import { Fetcher } from './fetcher.ts';
import { GroupMember, REBALANCE_TIMEOUT_MS } from './group-member.ts';
import { GroupReading } from './group-reading.ts';
import { KafkaConsumer, type Reading } from './kafka-consumer.ts';
import { partitionOf } from './partition-of.ts';
import { Producer } from './producer.ts';
import { Outage, type RetryLogger, type RetryOptions, retry } from './retry.ts';
import type { TargetRecord } from './sequenced-batches.ts';
import { readTail } from './tail.ts';

export interface KafkaLogOptions extends ConnectionSettings {
  /** Before every topic's name. */
  readonly topicPrefix: string;
  /** Before every group's name. */
  readonly consumerGroup: string;
  readonly clock: Clock;
  readonly logger: RetryLogger;
  /** To be told of, by who has it, while Kafka is away. */
  readonly outage?: Outage;
}

/** Joining waits for the others. */
const JOIN_REQUEST_TIMEOUT_MS = REBALANCE_TIMEOUT_MS + 20_000;

/** Connects at the first use; a broker that is down is told of and waited for. */
export function kafkaLog(options: KafkaLogOptions): Log {
  return new KafkaLog(options);
}

class KafkaLog implements Log {
  private readonly options: KafkaLogOptions;
  private readonly clientId = `wickstream-${randomUUID().slice(0, 8)}`;
  private readonly closing = new AbortController();
  private readonly consumers = new Set<AsyncDisposable>();
  private readonly cluster: Cluster;
  private readonly producer: Producer;
  private readonly outage: Outage;
  private readonly partitionCounts = new Map<string, number>();

  constructor(options: KafkaLogOptions) {
    this.options = options;
    this.cluster = new Cluster(options, this.clientId);
    this.producer = new Producer(this.cluster);
    const { servers, clock, logger } = options;
    this.outage = options.outage ?? new Outage(servers.join(','), clock, logger);
  }

  async append(
    records: readonly AnyLogRecord[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    if (this.closing.signal.aborted) throw closedError();
    signal?.throwIfAborted();
    if (records.length === 0) return;
    const options = this.retryOptions(signal);
    await this.producer.send(await this.targetsOf(records, options), options);
  }

  consumer<T>(consumerOptions: ConsumerOptions<T>): LogConsumer<T> {
    if (this.closing.signal.aborted) throw closedError();
    const { topics, reading = 'group' } = consumerOptions;
    const names = new Map(topics.map((topic) => [this.nameOf(topic), topic]));
    const stop = new AbortController();
    const options = this.retryOptions(stop.signal);
    const cluster = new Cluster(this.options, this.clientId);
    const fetcher = new Fetcher({
      cluster,
      retry: options,
      onReady: () => consumer.wake(),
      onGone: (topic, partition, count) => {
        consumer.drop(names.get(topic) as Topic<T>, count);
        const where = `${topic}, partition ${partition}`;
        this.options.logger.warn(`${count} records of ${where} were deleted before they were read`);
      },
    });
    const consumer: KafkaConsumer<T> = new KafkaConsumer<T>({
      consumer: consumerOptions,
      reading: new LateReading(() =>
        reading === 'alone'
          ? this.aloneReading([...names], options)
          : this.groupReading(consumerOptions, [...names.keys()], options),
      ),
      fetcher,
      topicOf: (name) => names.get(name) as Topic<T>,
      tail: (partitions) => (topic, since) =>
        readTail({
          settings: this.options,
          clientId: this.clientId,
          topic,
          topicName: this.nameOf(topic),
          partitions,
          since,
          retry: options,
        }),
      clock: this.options.clock,
      onClose: async () => {
        stop.abort();
        this.consumers.delete(consumer);
        await cluster.close();
      },
    });
    this.consumers.add(consumer);
    return consumer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.closing.signal.aborted) return;
    await Promise.all([...this.consumers].map((consumer) => consumer[Symbol.asyncDispose]()));
    this.closing.abort(closedError());
    await this.cluster.close();
  }

  private async groupReading<T>(
    { group, onAssignment }: ConsumerOptions<T>,
    topics: readonly string[],
    options: RetryOptions,
  ): Promise<Reading> {
    const partitions = await this.commonPartitionCount(topics, options);
    const own = new Cluster(this.options, this.clientId, JOIN_REQUEST_TIMEOUT_MS);
    const groupId = `${this.options.consumerGroup}-${group}`;
    const member = new GroupMember({ cluster: own, groupId, topics, partitions, retry: options });
    const transactions = new Cluster(this.options, this.clientId);
    return new GroupReading({
      member,
      cluster: transactions,
      isStateful: onAssignment !== undefined,
      targetsOf: (records) => this.targetsOf(records, options),
      retry: options,
      onClose: async () => {
        await Promise.all([own.close(), transactions.close()]);
      },
    });
  }

  private async aloneReading(
    topics: readonly (readonly [string, Topic<unknown>])[],
    options: RetryOptions,
  ): Promise<Reading> {
    const partitionsOf = async (cleanup: Topic<unknown>['cleanup']) => {
      const own = topics.filter(([, topic]) => topic.cleanup === cleanup);
      const counts = await Promise.all(own.map(([name]) => this.partitionCount(name, options)));
      return own.flatMap(([topic], index) =>
        Array.from({ length: counts[index] ?? 0 }, (_, partition) => ({ topic, partition })),
      );
    };
    const cluster = new Cluster(this.options, this.clientId);
    return new AloneReading({
      cluster,
      compacted: await partitionsOf('compact'),
      others: await partitionsOf('delete'),
      append: (outputs) => this.append(outputs),
      retry: options,
      onClose: () => cluster.close(),
    });
  }

  private async targetsOf(
    records: readonly AnyLogRecord[],
    options: RetryOptions,
  ): Promise<readonly TargetRecord[]> {
    const targets: TargetRecord[] = [];
    for (const { topic, key, value, timestamp, partition } of records) {
      const name = this.nameOf(topic);
      const count = this.partitionCounts.get(name) ?? (await this.partitionCount(name, options));
      targets.push({
        topic: name,
        partition: partition === undefined ? partitionOf(key, count) : partition % count,
        key,
        value: topic.encode(value),
        timestamp,
      });
    }
    return targets;
  }

  /** Topics that are missing are waited for: somebody may be creating them. */
  private async partitionCount(name: string, options: RetryOptions): Promise<number> {
    const known = this.partitionCounts.get(name);
    if (known !== undefined) return known;
    const topics = await retry(
      `find the topic ${name} (wickstream topics creates it)`,
      options,
      () => this.cluster.topics([name]),
    );
    const count = topics.get(name)?.leaders.length ?? 0;
    this.partitionCounts.set(name, count);
    return count;
  }

  /** What belongs together lies in partitions of one number: only so can one reader have it. */
  private async commonPartitionCount(
    names: readonly string[],
    options: RetryOptions,
  ): Promise<number> {
    const counts = new Map<string, number>();
    for (const name of names) counts.set(name, await this.partitionCount(name, options));
    const [first = 0, ...others] = new Set(counts.values());
    if (others.length === 0) return first;
    const list = [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
    throw new LogError(
      'differing-partitions',
      `Expected topics with the same number of partitions, were ${list}: create them anew with wickstream topics`,
    );
  }

  private nameOf(topic: Pick<Topic<unknown>, 'name'>): string {
    return `${this.options.topicPrefix}${topic.name}`;
  }

  private retryOptions(signal: AbortSignal | undefined): RetryOptions {
    const { clock } = this.options;
    const signals = signal === undefined ? [this.closing.signal] : [this.closing.signal, signal];
    return { clock, outage: this.outage, signal: AbortSignal.any(signals) };
  }
}

/** Asks the cluster for what it needs only once it is used: making a consumer waits for nothing. */
class LateReading implements Reading {
  private readonly make: () => Promise<Reading>;
  private reading: Reading | undefined;
  private isClosed = false;

  constructor(make: () => Promise<Reading>) {
    this.make = make;
  }

  get isStale(): boolean {
    return this.reading?.isStale ?? true;
  }

  async assign() {
    const made = this.reading ?? (await this.make());
    this.reading = made;
    if (!this.isClosed) return made.assign();
    await made.close();
    throw closedError();
  }

  async commit(...args: Parameters<Reading['commit']>): Promise<boolean> {
    return this.reading === undefined ? args[1].length === 0 : this.reading.commit(...args);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.reading?.close();
  }
}

function closedError(): Error {
  return new Error('The log is closed');
}

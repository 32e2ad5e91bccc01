// Keeps fetching from the leaders of some partitions, one request ahead of its reader, and never more. Knows no groups and decodes nothing.
import type { DurationMs } from '../../core/market/time.ts';
import { BatchCursor, endOffsetOf } from './batch-cursor.ts';
import type { Cluster } from './cluster.ts';
import { isPassing, PartitionFault } from './faults.ts';
import { type FetchAnswer, type FetchedPartition, fetchApi } from './fetch-api.ts';
import { type RetryOptions, retry } from './retry.ts';

/** Of one answer. Twice as much is held at most for each broker: what is being read, and the next. */
export const FETCH_BYTES_MAX = 4 * 1_024 * 1_024;
/** Walking more than this at a time would keep sockets and timers waiting. */
export const FETCH_PARTITION_BYTES_MAX = 1_024 * 1_024;
/** The broker answers at the first record, or after this. */
const FETCH_WAIT_MS: DurationMs = 500;
/** After a small answer the next one is asked for a little later: more records for each, a third of the work. */
const PAUSE_MS: DurationMs = 4;
const SMALL_ANSWER_BYTES = 16_384;
const READ_COMMITTED = 1;
/** Each request is whole by itself. */
const NO_SESSION_EPOCH = -1;

export interface PartitionPosition {
  readonly topic: string;
  readonly partition: number;
  /** The next offset wanted. */
  readonly offset: number;
}

/** Records of one partition, to be read to their end. */
export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly cursor: BatchCursor;
}

export interface FetcherOptions {
  readonly cluster: Cluster;
  readonly retry: RetryOptions;
  /** There is something to `take`, or `failure` is set. */
  readonly onReady: () => void;
  /** Records that the log no longer has: deleted before they were read. */
  readonly onGone: (topic: string, partition: number, count: number) => void;
}

interface Wanted {
  readonly topic: string;
  readonly partition: number;
  offset: number;
}

export class Fetcher {
  /** What ended the fetching; thrown by whoever takes. */
  failure: unknown;
  private readonly options: FetcherOptions;
  private wanted: Wanted[] = [];
  private ready: Fetched[] = [];
  /** Grows with each assignment: answers to requests of before are dropped. */
  private assignment = new AbortController();
  private readonly busy = new Set<number>();
  /** Brokers whose last answer has not been taken yet. */
  private readonly unread = new Map<number, number>();

  constructor(options: FetcherOptions) {
    this.options = options;
  }

  /** Forgets what is under way and fetches from these positions on. */
  assign(positions: readonly PartitionPosition[]): void {
    this.assignment.abort();
    this.assignment = new AbortController();
    this.wanted = positions.map((position) => ({ ...position }));
    this.ready = [];
    this.busy.clear();
    this.unread.clear();
    this.pump();
  }

  /** The next partition's records; undefined where nothing has come. @throws what ended the fetching. */
  take(): Fetched | undefined {
    if (this.failure !== undefined) throw this.failure;
    const next = this.ready.shift();
    if (next === undefined) return undefined;
    if (this.ready.length === 0) {
      this.unread.clear();
      this.pump();
    }
    return next;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  stop(): void {
    this.assignment.abort();
    this.wanted = [];
    this.ready = [];
  }

  /** Asks each broker that is idle, unless an answer of it waits to be taken. */
  private pump(): void {
    const { signal } = this.assignment;
    if (this.wanted.length === 0 || signal.aborted) return;
    // Never rejects: a failure is kept for the reader.
    void this.pumpNow(signal).catch((error: unknown) => this.fail(error, signal));
  }

  private async pumpNow(signal: AbortSignal): Promise<void> {
    const names = [...new Set(this.wanted.map(({ topic }) => topic))];
    const options = this.retryOptions(signal);
    const places = await retry('find topics', options, () => this.options.cluster.topics(names));
    if (signal.aborted) return;
    const byLeader = new Map<number, Wanted[]>();
    for (const each of this.wanted) {
      const leader = places.get(each.topic)?.leaders[each.partition] ?? -1;
      const list = byLeader.get(leader);
      if (list === undefined) byLeader.set(leader, [each]);
      else list.push(each);
    }
    for (const [leader, own] of byLeader) {
      if (this.busy.has(leader) || (this.unread.get(leader) ?? 0) > 0) continue;
      this.busy.add(leader);
      void this.fetchOnce(leader, own, signal).catch((error: unknown) => this.fail(error, signal));
    }
  }

  private async fetchOnce(
    leader: number,
    own: readonly Wanted[],
    signal: AbortSignal,
  ): Promise<void> {
    let node = leader;
    let bytes = 0;
    try {
      const partitions = await retry('read', this.retryOptions(signal), async () => {
        const { answer, topicOf } = await this.request(node, own).catch((error: unknown) => {
          if (isPassing(error)) node = -1;
          throw error;
        });
        return this.accept(answer, topicOf, own);
      });
      if (signal.aborted) return;
      bytes = partitions;
      if (bytes > 0) {
        this.unread.set(leader, bytes);
        this.options.onReady();
      }
      if (bytes < SMALL_ANSWER_BYTES) await this.options.retry.clock.sleep(PAUSE_MS, signal);
    } finally {
      if (!signal.aborted) this.busy.delete(leader);
    }
    this.pump();
  }

  /** `node` −1: whoever leads the first of them by now; the rest is sorted out by the next round. */
  private async request(
    node: number,
    own: readonly Wanted[],
  ): Promise<{ readonly answer: FetchAnswer; readonly topicOf: ReadonlyMap<string, string> }> {
    const { cluster } = this.options;
    const places = await cluster.topics([...new Set(own.map(({ topic }) => topic))]);
    const topicOf = new Map([...places].map(([name, { id }]) => [id, name]));
    const [first] = own;
    const leader =
      node >= 0 || first === undefined
        ? node
        : (places.get(first.topic)?.leaders[first.partition] ?? -1);
    const topics = [...places].map(([name, { id }]) => ({
      topicId: id,
      partitions: own
        .filter(({ topic }) => topic === name)
        .map(({ partition, offset }) => ({
          partition,
          currentLeaderEpoch: -1,
          fetchOffset: BigInt(offset),
          lastFetchedEpoch: -1,
          partitionMaxBytes: FETCH_PARTITION_BYTES_MAX,
        })),
    }));
    const answer = await cluster.request(
      leader,
      fetchApi,
      ...([FETCH_WAIT_MS, 1, FETCH_BYTES_MAX, READ_COMMITTED, 0, NO_SESSION_EPOCH] as const),
      topics,
      [],
      '',
    );
    return { answer, topicOf };
  }

  /** Takes what came and answers its bytes. @throws PartitionFault for partitions that refuse, once the others' records are kept. */
  private accept(
    { fault, partitions }: FetchAnswer,
    topicOf: ReadonlyMap<string, string>,
    own: readonly Wanted[],
  ): number {
    const faults = new Set<string>(fault === undefined ? [] : [fault]);
    let bytes = 0;
    for (const fetched of partitions) {
      const topic = topicOf.get(fetched.topicId) ?? '';
      const wanted = own.find(
        (each) => each.topic === topic && each.partition === fetched.partition,
      );
      if (wanted === undefined) continue;
      if (fetched.fault === 'OFFSET_OUT_OF_RANGE') this.goneBefore(wanted, fetched.logStartOffset);
      else if (fetched.fault !== undefined) faults.add(fetched.fault);
      else bytes += this.keep(wanted, fetched);
    }
    if (faults.size > 0 && bytes === 0) {
      const error = new PartitionFault(faults, own.map(({ topic }) => topic).join(', '));
      this.options.cluster.forgetWhatIsStale(error);
      throw error;
    }
    return bytes;
  }

  private keep(wanted: Wanted, { bytes, aborted }: FetchedPartition): number {
    if (bytes.length === 0) return 0;
    const batches = { bytes, from: wanted.offset, aborted };
    const { topic, partition } = wanted;
    this.ready.push({ topic, partition, cursor: new BatchCursor(batches) });
    wanted.offset = endOffsetOf(batches);
    return bytes.length;
  }

  private goneBefore(wanted: Wanted, logStartOffset: number): void {
    const { topic, partition, offset } = wanted;
    this.options.onGone(topic, partition, Math.max(0, logStartOffset - offset));
    wanted.offset = Math.max(0, logStartOffset);
  }

  private retryOptions(signal: AbortSignal): RetryOptions {
    const { retry: options } = this.options;
    return { ...options, signal: AbortSignal.any([options.signal, signal]) };
  }

  private fail(error: unknown, signal: AbortSignal): void {
    if (signal.aborted || this.options.retry.signal.aborted) return;
    this.failure = error;
    this.options.onReady();
  }
}

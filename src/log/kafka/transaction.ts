// Outputs and read positions in one transaction, of one transactional id. Exactly once needs three to agree: the broker's fencing of an
// older owner of the id, the group's generation, and this: whatever is not certain is reported as void, never as done.

import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  endTxnV3,
  initProducerIdV4,
  txnOffsetCommitV3,
} from '@platformatic/kafka';
import type { DurationMs } from '../../core/market/time.ts';
import type { Cluster } from './cluster.ts';
import { faultsOf, hasLostSequence, isFenced, needsRejoin } from './faults.ts';
import { sendBatches } from './producer.ts';
import { type RetryOptions, retry } from './retry.ts';
import { type ProducerIdentity, SequencedBatches, type TargetRecord } from './sequenced-batches.ts';

/** The broker gives up a transaction whose owner is gone after this; a new owner of its partitions ends it at once. */
export const TRANSACTION_TIMEOUT_MS: DurationMs = 15_000;
/** A transaction's end is still being written to its partitions: the next may begin in a moment. */
const CONCURRENT_PAUSE_MS: DurationMs = 2;
const CONCURRENT_TRIES_MAX = 2_000;

export interface ReadPosition {
  readonly topic: string;
  readonly partition: number;
  /** The next offset to read. */
  readonly offset: number;
}

export interface GroupIdentity {
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
}

export interface TransactionInput {
  readonly records: readonly TargetRecord[];
  readonly positions: readonly ReadPosition[];
  /** Kept with each position: whom a later owner has to fence. */
  readonly metadata: string;
  readonly group: GroupIdentity;
}

export class Transactions {
  readonly id: string;
  private readonly cluster: Cluster;
  private identity: ProducerIdentity | undefined;
  private sequences = new Map<string, number>();

  constructor(cluster: Cluster, id: string) {
    this.cluster = cluster;
    this.id = id;
  }

  /**
   * True: all of it is in the log. False: the group or another owner of the id has moved on, and
   * nothing counts as written (it may still be: whoever goes on reads the log).
   * @throws LogError, and the signal's reason.
   */
  async commit(input: TransactionInput, options: RetryOptions): Promise<boolean> {
    try {
      // Each attempt begins anew: what an earlier one has written is aborted with its id's older epoch.
      await retry('write a transaction', options, () => this.attempt(input, options));
      return await retry('end a transaction', options, () => this.end(options));
    } catch (error) {
      this.identity = undefined;
      if (needsRejoin(error) || isFenced(error) || hasLostSequence(error)) return false;
      throw error;
    }
  }

  private async attempt(input: TransactionInput, options: RetryOptions): Promise<void> {
    try {
      this.identity ??= await this.init(options);
      await this.write(input, options);
    } catch (error) {
      this.identity = undefined;
      throw error;
    }
  }

  /** Takes the id over: aborts what is open under it, and fences whoever else has it. */
  private async init(options: RetryOptions): Promise<ProducerIdentity> {
    this.sequences = new Map();
    return fenceTransactionalId(this.cluster, this.id, options);
  }

  private async write(input: TransactionInput, options: RetryOptions): Promise<void> {
    const { cluster, id } = this;
    const identity = this.identity as ProducerIdentity;
    const { producerId, producerEpoch } = identity;
    const batches = new SequencedBatches(input.records);
    await whileConcurrent(options, async () =>
      cluster.request(await cluster.coordinator('transaction', id), addPartitionsToTxnV3.api, [
        {
          transactionalId: id,
          producerId,
          producerEpoch,
          topics: topicsOf(batches.partitions()),
          verifyOnly: false,
        },
      ]),
    );
    const ends = await Promise.allSettled([
      this.produce(batches, identity),
      this.addPositions(input, identity, options),
    ]);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  private async addPositions(
    { group, positions, metadata }: TransactionInput,
    { producerId, producerEpoch }: ProducerIdentity,
    options: RetryOptions,
  ): Promise<void> {
    const { cluster, id } = this;
    const { groupId, generationId, memberId } = group;
    await whileConcurrent(options, async () =>
      cluster.request(
        await cluster.coordinator('transaction', id),
        addOffsetsToTxnV3.api,
        ...([id, producerId, producerEpoch, groupId] as const),
      ),
    );
    await cluster.request(
      await cluster.coordinator('group', groupId),
      txnOffsetCommitV3.api,
      ...([id, groupId, producerId, producerEpoch, generationId, memberId, null] as const),
      offsetsOf(positions, metadata),
    );
  }

  private async produce(batches: SequencedBatches, identity: ProducerIdentity): Promise<void> {
    const { cluster, sequences } = this;
    while (!batches.isDone) {
      await sendBatches({
        cluster,
        batches: batches.next(identity, sequences, true),
        transactionalId: this.id,
        onWritten: ({ topic, partition }) => batches.written(topic, partition, sequences),
      });
    }
  }

  /** Asked again until the answer is certain: the broker remembers how it ended. */
  private async end(options: RetryOptions): Promise<boolean> {
    const { cluster, id } = this;
    const { producerId, producerEpoch } = this.identity as ProducerIdentity;
    await whileConcurrent(options, async () =>
      cluster.request(
        await cluster.coordinator('transaction', id),
        endTxnV3.api,
        ...([id, producerId, producerEpoch, true] as const),
      ),
    );
    return true;
  }
}

/** Ends whatever transaction is open under `id`, and every owner it had until now. */
export async function fenceTransactionalId(
  cluster: Cluster,
  id: string,
  options: RetryOptions,
): Promise<ProducerIdentity> {
  const answer = await whileConcurrent(options, async () =>
    // Without a producer id of ours: with one (the package sends 0) a second owner is refused.
    cluster.request(
      await cluster.coordinator('transaction', id),
      initProducerIdV4.api,
      ...([id, TRANSACTION_TIMEOUT_MS, -1n, -1] as const),
    ),
  );
  return { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
}

async function whileConcurrent<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  const { clock, signal } = options;
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const isConcurrent = faultsOf(error).has('CONCURRENT_TRANSACTIONS');
      if (!isConcurrent || tries >= CONCURRENT_TRIES_MAX) throw error;
    }
    signal.throwIfAborted();
    await clock.sleep(CONCURRENT_PAUSE_MS, signal);
  }
}

function topicsOf(
  partitions: readonly { readonly topic: string; readonly partition: number }[],
): { name: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  }
  return [...topics].map(([name, numbers]) => ({ name, partitions: numbers }));
}

export interface OffsetsOfTopic {
  readonly name: string;
  readonly partitions: {
    readonly partitionIndex: number;
    readonly committedOffset: bigint;
    readonly committedLeaderEpoch: number;
    readonly committedMetadata: string;
  }[];
}

export function offsetsOf(positions: readonly ReadPosition[], metadata: string): OffsetsOfTopic[] {
  const topics = new Map<string, OffsetsOfTopic>();
  for (const { topic, partition, offset } of positions) {
    const ofTopic = topics.get(topic) ?? { name: topic, partitions: [] };
    topics.set(topic, ofTopic);
    ofTopic.partitions.push({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: -1,
      committedMetadata: metadata,
    });
  }
  return [...topics.values()];
}

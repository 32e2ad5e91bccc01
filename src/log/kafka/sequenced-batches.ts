// Records → batches numbered for one producer id, so that the broker writes each once however often it is sent. One in flight a partition.

import type { PartitionBatch } from './produce-api.ts';
import {
  type BatchOptions,
  encodeBatch,
  type OutgoingRecord,
  recordBytesMax,
} from './record-batch.ts';

/** Before compression; brokers take 1 MiB a batch by default. */
export const BATCH_BYTES_MAX = 900_000;
/** Sequence numbers are 31 bits wide and begin again at 0. */
const SEQUENCES = 2 ** 31;

export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

export interface TargetRecord extends OutgoingRecord {
  readonly topic: string;
  readonly partition: number;
}

/** What is still to be written to one partition, in order. */
interface Lane {
  readonly topic: string;
  readonly partition: number;
  readonly chunks: OutgoingRecord[][];
  /** The first chunk as bytes: the same bytes and numbers each time it is sent. */
  encoded: Buffer | undefined;
}

export type NextSequences = Map<string, number>;

export class SequencedBatches {
  private readonly lanes = new Map<string, Lane>();

  /** @throws RangeError where one record alone is larger than a batch may be. */
  constructor(records: readonly TargetRecord[]) {
    const sizes = new Map<string, number>();
    for (const record of records) {
      const key = laneKey(record.topic, record.partition);
      const bytes = recordBytesMax(record);
      let lane = this.lanes.get(key);
      if (lane === undefined) {
        const { topic, partition } = record;
        lane = { topic, partition, chunks: [[]], encoded: undefined };
        this.lanes.set(key, lane);
      }
      const size = (sizes.get(key) ?? 0) + bytes;
      const isFull = size > BATCH_BYTES_MAX && (lane.chunks.at(-1)?.length ?? 0) > 0;
      if (isFull) lane.chunks.push([]);
      sizes.set(key, isFull ? bytes : size);
      lane.chunks.at(-1)?.push(record);
    }
  }

  get isDone(): boolean {
    return this.lanes.size === 0;
  }

  /** Partitions still to be written to, with their topics. */
  partitions(): readonly { readonly topic: string; readonly partition: number }[] {
    return [...this.lanes.values()];
  }

  /** The next batch of each partition. */
  next(
    identity: ProducerIdentity,
    sequences: NextSequences,
    isTransactional: boolean,
  ): PartitionBatch[] {
    const batches: PartitionBatch[] = [];
    for (const [key, lane] of this.lanes) {
      const records = lane.chunks[0] ?? [];
      const options: BatchOptions = {
        ...identity,
        sequence: sequences.get(key) ?? 0,
        isTransactional,
      };
      lane.encoded ??= encodeBatch(records, options);
      batches.push({ topic: lane.topic, partition: lane.partition, batch: lane.encoded });
    }
    return batches;
  }

  /** The broker has the partition's first batch. */
  written(topic: string, partition: number, sequences: NextSequences): void {
    const key = laneKey(topic, partition);
    const lane = this.lanes.get(key);
    if (lane === undefined) return;
    const count = lane.chunks.shift()?.length ?? 0;
    sequences.set(key, ((sequences.get(key) ?? 0) + count) % SEQUENCES);
    lane.encoded = undefined;
    if (lane.chunks.length === 0) this.lanes.delete(key);
  }

  /** Under another identity the numbers begin anew. */
  renumber(): void {
    for (const lane of this.lanes.values()) lane.encoded = undefined;
  }
}

function laneKey(topic: string, partition: number): string {
  return `${topic}:${partition}`;
}

// Reading everything, without a group: of a compacted topic its state and what comes, of the others the newest and what comes.
import type { AnyLogRecord } from '../log.ts';
import type { Cluster } from './cluster.ts';
import type { PartitionPosition } from './fetcher.ts';
import type { AssignmentChange, Reading } from './kafka-consumer.ts';
import { offsetsAt, type PartitionName } from './offsets.ts';
import type { RetryOptions } from './retry.ts';

/** Of a topic that is not compacted, of each partition, before what comes. */
export const TAIL_RECORDS_MAX = 1_000;

export interface AloneReadingOptions {
  readonly cluster: Cluster;
  readonly compacted: readonly PartitionName[];
  readonly others: readonly PartitionName[];
  readonly append: (outputs: readonly AnyLogRecord[]) => Promise<void>;
  readonly retry: RetryOptions;
  readonly onClose: () => Promise<void>;
}

export class AloneReading implements Reading {
  isStale = true;
  private readonly options: AloneReadingOptions;

  constructor(options: AloneReadingOptions) {
    this.options = options;
  }

  async assign(): Promise<AssignmentChange> {
    const { cluster, compacted, others, retry } = this.options;
    const starts = await offsetsAt(cluster, [...compacted, ...others], 'start', retry);
    const ends = await offsetsAt(cluster, others, 'end', retry);
    const endOf = new Map(ends.map((end) => [`${end.topic}:${end.partition}`, end.offset]));
    this.isStale = false;
    return {
      revoked: [],
      added: [...new Set(starts.map(({ partition }) => partition))],
      starts: starts.map((start) => {
        const end = endOf.get(`${start.topic}:${start.partition}`);
        return end === undefined
          ? start
          : { ...start, offset: Math.max(start.offset, end - TAIL_RECORDS_MAX) };
      }),
    };
  }

  async commit(
    _positions: readonly PartitionPosition[],
    outputs: readonly AnyLogRecord[],
  ): Promise<boolean> {
    if (outputs.length > 0) await this.options.append(outputs);
    return true;
  }

  close(): Promise<void> {
    return this.options.onClose();
  }
}

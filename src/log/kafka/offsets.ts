// Where partitions begin and end, and where a time lies in them.
import { listOffsetsV7 } from '@platformatic/kafka';
import type { Cluster } from './cluster.ts';
import type { PartitionPosition } from './fetcher.ts';
import { type RetryOptions, retry } from './retry.ts';

/** `start`: the oldest record kept. `end`: behind the newest, also of transactions still open. A number: the first record of that time or later. */
export type Place = 'start' | 'end' | number;

const TIMESTAMPS = { start: -2, end: -1 } as const;
const READ_UNCOMMITTED = 0;

export interface PartitionName {
  readonly topic: string;
  readonly partition: number;
}

/** A time after the newest record's lies at the end. */
export async function offsetsAt(
  cluster: Cluster,
  partitions: readonly PartitionName[],
  place: Place,
  options: RetryOptions,
): Promise<readonly PartitionPosition[]> {
  const found = await retry('find offsets', options, () => listOffsets(cluster, partitions, place));
  const missing = found.filter(({ offset }) => offset < 0);
  if (missing.length === 0 || place === 'end') return found;
  const ends = await offsetsAt(cluster, missing, 'end', options);
  const known = found.filter(({ offset }) => offset >= 0);
  return [...known, ...ends];
}

async function listOffsets(
  cluster: Cluster,
  partitions: readonly PartitionName[],
  place: Place,
): Promise<PartitionPosition[]> {
  const places = await cluster.topics([...new Set(partitions.map(({ topic }) => topic))]);
  const byLeader = new Map<number, PartitionName[]>();
  for (const each of partitions) {
    const leader = places.get(each.topic)?.leaders[each.partition] ?? -1;
    byLeader.set(leader, [...(byLeader.get(leader) ?? []), each]);
  }
  const timestamp = BigInt(typeof place === 'number' ? place : TIMESTAMPS[place]);
  const positions: PartitionPosition[] = [];
  for (const [leader, own] of byLeader) {
    const topics = Map.groupBy(own, ({ topic }) => topic);
    const answer = await cluster.request(
      leader,
      listOffsetsV7.api,
      ...([-1, READ_UNCOMMITTED] as const),
      [...topics].map(([name, each]) => ({
        name,
        partitions: each.map(({ partition }) => ({
          partitionIndex: partition,
          currentLeaderEpoch: -1,
          timestamp,
        })),
      })),
    );
    for (const { name, partitions: found } of answer.topics) {
      for (const { partitionIndex, offset } of found) {
        positions.push({ topic: name, partition: partitionIndex, offset: Number(offset) });
      }
    }
  }
  return positions;
}

// The topics of one Wickstream in Kafka: what each should be, creating what is missing, telling what differs. Deletes and changes nothing.
import { createTopicsV7, describeConfigsV4 } from '@platformatic/kafka';
import type { DurationMs } from '../../core/market/time.ts';
import type { Topic } from '../../protocol/topics.ts';
import type { Cluster } from './cluster.ts';
import { faultsOf } from './faults.ts';
import { type RetryOptions, retry } from './retry.ts';

export interface TopicPlan {
  /** Its name in Kafka. */
  readonly name: string;
  readonly partitions: number;
  /** −1: the broker's default. */
  readonly replication: number;
  readonly configs: Readonly<Record<string, string>>;
}

export interface TopicShape {
  readonly partitions: number;
  readonly replication: number;
  /** Undefined: never deleted by age. */
  readonly retentionMs: DurationMs | undefined;
  /** How long each change of a compacted topic can still be seen. */
  readonly compactionLagMs: DurationMs;
}

/** Compaction only touches closed segments: small ones, so that a reader's start stays short. */
const COMPACTED_SEGMENT_BYTES = 16 * 1_024 * 1_024;
const COMPACTED_SEGMENT_MS: DurationMs = 600_000;
const CREATE_TIMEOUT_MS: DurationMs = 10_000;
const TOPIC_RESOURCE = 2;

export function planOf(
  topic: Pick<Topic<unknown>, 'name' | 'cleanup'>,
  prefix: string,
  shape: TopicShape,
): TopicPlan {
  const { partitions, replication, retentionMs, compactionLagMs } = shape;
  const name = `${prefix}${topic.name}`;
  const configs: Record<string, string> =
    topic.cleanup === 'compact'
      ? {
          'cleanup.policy': 'compact',
          'segment.bytes': `${COMPACTED_SEGMENT_BYTES}`,
          'segment.ms': `${COMPACTED_SEGMENT_MS}`,
          'min.compaction.lag.ms': `${compactionLagMs}`,
          'min.cleanable.dirty.ratio': '0.1',
        }
      : { 'cleanup.policy': 'delete', 'retention.ms': `${retentionMs ?? -1}` };
  return { name, partitions, replication, configs };
}

export interface TopicReport {
  readonly name: string;
  readonly state: 'created' | 'there' | 'differs';
  /** Of `differs`: what was expected and what is. */
  readonly details: readonly string[];
}

/** Creates those of `plans` that are missing. @throws what creating them was refused for. */
export async function ensureTopics(
  cluster: Cluster,
  plans: readonly TopicPlan[],
  options: RetryOptions,
): Promise<readonly TopicReport[]> {
  const areThere = await Promise.all(
    plans.map(({ name }) => retry('look for topics', options, () => exists(cluster, name))),
  );
  const missing = plans.filter((_, index) => areThere[index] === false);
  if (missing.length > 0) await retry('create topics', options, () => create(cluster, missing));
  return Promise.all(
    plans.map(async (plan, index): Promise<TopicReport> => {
      const { name } = plan;
      if (areThere[index] === false) return { name, state: 'created', details: [] };
      const details = await retry('look at topics', options, () => differences(cluster, plan));
      return { name, state: details.length === 0 ? 'there' : 'differs', details };
    }),
  );
}

async function exists(cluster: Cluster, name: string): Promise<boolean> {
  try {
    await cluster.topics([name]);
    return true;
  } catch (error) {
    if (faultsOf(error).has('UNKNOWN_TOPIC_OR_PARTITION')) return false;
    throw error;
  }
}

async function create(cluster: Cluster, plans: readonly TopicPlan[]): Promise<void> {
  const topics = plans.map(({ name, partitions, replication, configs }) => ({
    name,
    numPartitions: partitions,
    replicationFactor: replication,
    assignments: [],
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }));
  try {
    const node = await cluster.controllerNode();
    await cluster.request(node, createTopicsV7.api, topics, CREATE_TIMEOUT_MS, false);
  } catch (error) {
    // Another process was quicker with some; the others are created all the same.
    const faults = faultsOf(error);
    faults.delete('TOPIC_ALREADY_EXISTS');
    if (faults.size > 0) throw error;
  }
}

async function differences(cluster: Cluster, plan: TopicPlan): Promise<readonly string[]> {
  const places = (await cluster.topics([plan.name])).get(plan.name);
  const found: string[] = [];
  const partitions = places?.leaders.length ?? 0;
  if (partitions !== plan.partitions) {
    found.push(`expected ${plan.partitions} partitions, were ${partitions}`);
  }
  const answer = await cluster.request(
    await cluster.anyNode(),
    describeConfigsV4.api,
    [
      {
        resourceType: TOPIC_RESOURCE,
        resourceName: plan.name,
        configurationKeys: Object.keys(plan.configs),
      },
    ],
    false,
    false,
  );
  for (const { name, value } of answer.results[0]?.configs ?? []) {
    const expected = plan.configs[name];
    if (expected !== undefined && expected !== value) {
      found.push(`expected ${name}=${expected}, was ${value}`);
    }
  }
  return found;
}

// A real broker for one integration test file, with a fresh log; and why there is none where there is none.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import {
  type Broker,
  type BrokerSecurity,
  missingForKafka,
  startBroker,
} from '../../scripts/kafka/broker.mjs';
import { systemClock } from '../../src/app/system-clock.ts';
import { Cluster } from '../../src/log/kafka/cluster.ts';
import { kafkaLog } from '../../src/log/kafka/kafka-log.ts';
import { Outage, type RetryOptions } from '../../src/log/kafka/retry.ts';
import { ensureTopics, planOf } from '../../src/log/kafka/topic-set.ts';
import type { Log } from '../../src/log/log.ts';
import type { Topic } from '../../src/protocol/topics.ts';

export const PARTITIONS = 3;
export const logger = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });

const missing = await missingForKafka();
if (missing !== undefined && process.env['CI'] === 'true') {
  throw new Error(`Expected a Kafka broker for the integration tests: ${missing}`);
}
/** For `describe`'s options: a reason, or false. */
export const skip = missing ?? false;

export interface TestBroker extends Broker, AsyncDisposable {
  createTopics(
    topics: readonly Pick<Topic<unknown>, 'name' | 'cleanup'>[],
    options?: { readonly prefix?: string; readonly partitions?: number },
  ): Promise<void>;
  /** Of the topics `<prefix>.…`, by the groups `<prefix>…`. */
  openLog(prefix: string): Log;
}

export async function testBroker(security?: BrokerSecurity): Promise<TestBroker> {
  const dir = await mkdtemp(join(tmpdir(), 'wickstream-kafka-'));
  const broker = await startBroker(security === undefined ? { dir } : { dir, security });
  const { servers } = broker;
  return Object.assign(Object.create(broker) as Broker, {
    async createTopics(
      topics: readonly Pick<Topic<unknown>, 'name' | 'cleanup'>[],
      { prefix = '', partitions = PARTITIONS } = {},
    ) {
      const cluster = new Cluster({ servers: [servers] }, 'test');
      const shape = {
        partitions,
        replication: 1,
        retentionMs: undefined,
        compactionLagMs: 0,
      };
      const plans = topics.map((topic) => planOf(topic, prefix, shape));
      await ensureTopics(cluster, plans, retryOptions(servers));
      await cluster.close();
    },
    openLog: (prefix: string) =>
      kafkaLog({
        servers: [servers],
        topicPrefix: `${prefix}.`,
        consumerGroup: prefix,
        clock: systemClock,
        logger,
      }),
    async [Symbol.asyncDispose]() {
      await broker.kill();
      await rm(dir, { recursive: true, force: true });
    },
  });
}

export function retryOptions(servers: string): RetryOptions {
  const outage = new Outage(servers, systemClock, logger);
  return { clock: systemClock, outage, signal: new AbortController().signal };
}

// The Kafka that the settings name: its log, its topics, and whose market they hold (I10). Loaded only where Kafka is asked for.
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { type Source, sourceId } from '../core/market/source.ts';
import { type Clock, DAY_MS, type DurationMs } from '../core/market/time.ts';
import { Cluster, type ConnectionSettings } from '../log/kafka/cluster.ts';
import { kafkaLog } from '../log/kafka/kafka-log.ts';
import { Outage } from '../log/kafka/retry.ts';
import { ensureTopics, planOf, type TopicPlan, type TopicReport } from '../log/kafka/topic-set.ts';
import { type Log, LogError } from '../log/log.ts';
import { OHLCV, RAW_TICKS, SOURCE, TOPICS } from '../protocol/topics.ts';
import { type Config, ConfigError } from './config.ts';
import { readTail } from './read-tail.ts';

export interface KafkaContext {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Long enough for a week's holidays; the store has the candles. */
const RAW_TICKS_KEPT_MS: DurationMs = 7 * DAY_MS;
const SECONDS_KEPT_MS: DurationMs = 2 * DAY_MS;
/** More than the 62 days an aggregation reads back. */
const CANDLES_KEPT_MS: DurationMs = 90 * DAY_MS;
const OTHERS_KEPT_MS: DurationMs = 30 * DAY_MS;
/** Days and longer are few: all are kept. */
const UNLIMITED: readonly string[] = [OHLCV['1d'], OHLCV['3d'], OHLCV['1w'], OHLCV['1M']].map(
  ({ name }) => name,
);

/** How long nobody may have said whose market it is, before that is told. */
const SOURCE_POLL_MS: DurationMs = 1_000;
const SOURCE_TELL_MS: DurationMs = 10_000;

/** @throws ConfigError where Kafka is not configured. */
export function openKafkaLog(
  { config, clock, logger }: Omit<KafkaContext, 'signal'>,
  outage?: Outage,
): Log {
  const { topicPrefix, consumerGroup } = config;
  const told = outage === undefined ? {} : { outage };
  return kafkaLog({ ...connectionOf(config), topicPrefix, consumerGroup, clock, logger, ...told });
}

/** @throws ConfigError naming each fault. */
export function connectionOf(config: Config): ConnectionSettings {
  const { kafka: servers, kafkaSasl: mechanism, kafkaUsername, kafkaPassword } = config;
  if (servers === undefined) {
    throw new ConfigError([
      '--kafka (KAFKA_BOOTSTRAP_SERVERS): expected host:port of a Kafka broker, was not given',
    ]);
  }
  if (mechanism !== undefined && (kafkaUsername === undefined || kafkaPassword === undefined)) {
    throw new ConfigError(['--kafka-sasl: expected --kafka-username and --kafka-password with it']);
  }
  const sasl =
    mechanism === undefined
      ? {}
      : { sasl: { mechanism, username: kafkaUsername ?? '', password: kafkaPassword ?? '' } };
  return { servers, ...(config.kafkaTls ? { tls: tlsOf(config) } : {}), ...sasl };
}

function tlsOf(config: Config): NonNullable<ConnectionSettings['tls']> {
  const files = {
    ca: ['--kafka-ca', config.kafkaCa],
    cert: ['--kafka-certificate', config.kafkaCertificate],
    key: ['--kafka-key', config.kafkaKey],
  } as const;
  const tls: Record<string, Buffer> = {};
  for (const [name, [flag, path]] of Object.entries(files)) {
    if (path !== undefined) tls[name] = readPem(flag, path);
  }
  return tls;
}

function readPem(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`${flag}: "${path}" cannot be read (${reason})`]);
  }
}

/** Creates what is missing. A topic that differs is left as it is, and told of. */
export async function createTopics(context: KafkaContext): Promise<readonly TopicReport[]> {
  const { config, clock, logger, signal } = context;
  const connection = connectionOf(config);
  const cluster = new Cluster(connection, 'wickstream-topics');
  try {
    const outage = new Outage(connection.servers.join(','), clock, logger);
    return await ensureTopics(cluster, topicPlans(config), { clock, outage, signal });
  } finally {
    await cluster.close();
  }
}

export function topicPlans(config: Config): readonly TopicPlan[] {
  const { topicPrefix, topicPartitions, topicReplication: replication } = config;
  const compactionLagMs = config.topicCompactionLag;
  const shape = { partitions: topicPartitions, replication, compactionLagMs };
  const plans = TOPICS.map((topic) =>
    planOf(topic, topicPrefix, { ...shape, retentionMs: retentionOf(topic.name, config) }),
  );
  const one = { ...shape, partitions: 1, retentionMs: undefined };
  return [...plans, planOf(SOURCE, topicPrefix, one)];
}

function retentionOf(name: string, { topicRetention }: Config): DurationMs | undefined {
  if (topicRetention === 'unlimited') return undefined;
  if (topicRetention !== 'by topic') return topicRetention;
  if (UNLIMITED.includes(name)) return undefined;
  if (name === RAW_TICKS.name) return RAW_TICKS_KEPT_MS;
  if (name === OHLCV['1s'].name) return SECONDS_KEPT_MS;
  return name.startsWith('ohlcv_') ? CANDLES_KEPT_MS : OTHERS_KEPT_MS;
}

/**
 * Says whose market the topics hold, where nobody has yet.
 * @throws LogError where it is another's.
 */
export async function claimSource(
  log: Log,
  source: Source,
  { config, clock, signal }: KafkaContext,
): Promise<void> {
  const known = await readSource(log, signal);
  if (known === undefined) {
    const record = { topic: SOURCE, key: sourceId(source), value: source, timestamp: clock.now() };
    await log.append([record], { signal });
  }
  // Read again: of two that claim at the same moment the first counts.
  const owner = known ?? (await readSource(log, signal));
  if (owner === undefined || sourceId(owner) === sourceId(source)) return;
  throw new LogError(
    'foreign-source',
    `The topics "${config.topicPrefix}…" hold ${sourceId(owner)}, not ${sourceId(source)}: choose another --topic-prefix and --consumer-group`,
  );
}

/** Waits until an ingest has said whose market it is; undefined where `signal` aborts before. */
export async function awaitSource(log: Log, context: KafkaContext): Promise<Source | undefined> {
  const { clock, logger, signal } = context;
  for (let waitedMs = 0; !signal.aborted; waitedMs += SOURCE_POLL_MS) {
    const source = await readSource(log, signal);
    if (source !== undefined) return source;
    if (waitedMs % SOURCE_TELL_MS === 0) {
      logger.info('Waiting for the first ingest to say whose market the topics hold');
    }
    await clock.sleep(SOURCE_POLL_MS, signal);
  }
  return undefined;
}

async function readSource(log: Log, signal: AbortSignal): Promise<Source | undefined> {
  const [first] = await readTail({ log, topic: SOURCE, since: undefined, signal });
  return first?.value;
}

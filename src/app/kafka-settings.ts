// The settings of Kafka: where it is, how to be let in, and what its topics are like. A part of the table in settings.ts.
import type { DurationMs } from '../core/market/time.ts';
import { anyText, type Parse, parseDuration, setting, wholeNumber } from './setting.ts';

/** No retention of its own: each topic keeps what its table says. */
export type RetentionChoice = DurationMs | 'by topic' | 'unlimited';

const SERVER = /^(\[[0-9a-fA-F:.]+\]|[^\s:/,]+):(\d{1,5})$/;
const NAME = /^[A-Za-z0-9._-]*$/;
const parseServers: Parse<readonly string[]> = (text) => {
  const servers = text.split(',').map((part) => part.trim());
  const odd = servers.find((part) => Number(SERVER.exec(part)?.[2] ?? 0) < 1);
  return odd === undefined
    ? { value: servers }
    : { fault: `expected host:port, several by commas, was "${odd}"` };
};

const parseName: Parse<string> = (text) =>
  NAME.test(text)
    ? { value: text }
    : { fault: `expected letters, digits and . _ - as in Kafka's names, was "${text}"` };

const parseSwitch: Parse<boolean> = (text) =>
  text === 'on' || text === 'off'
    ? { value: text === 'on' }
    : { fault: `expected on or off, was "${text}"` };

const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

const parseMechanism: Parse<(typeof MECHANISMS)[number]> = (text) => {
  const value = MECHANISMS.find((mechanism) => mechanism === text.toUpperCase());
  return value === undefined
    ? { fault: `expected one of ${MECHANISMS.join(', ')}, was "${text}"` }
    : { value };
};

const parseRetention: Parse<RetentionChoice> = (text) =>
  text === 'by-topic'
    ? { value: 'by topic' }
    : text === 'unlimited'
      ? { value: text }
      : parseDuration(text);

export const KAFKA_SETTINGS = {
  kafka: setting(
    'kafka',
    '<servers>',
    undefined,
    parseServers,
    'host:port, by commas: stages meet on Kafka instead of in process',
    { env: ['KAFKA_BOOTSTRAP_SERVERS'] },
  ),
  topicPrefix: setting('topic-prefix', '<text>', '', parseName, 'before the name of each topic'),
  consumerGroup: setting(
    'consumer-group',
    '<name>',
    'wickstream',
    parseName,
    'before the name of each consumer group',
  ),
  kafkaTls: setting('kafka-tls', '<on|off>', 'off', parseSwitch, 'speak TLS with Kafka'),
  kafkaCa: setting('kafka-ca', '<file>', undefined, anyText, 'PEM file of whom to trust'),
  kafkaCertificate: setting('kafka-certificate', '<file>', undefined, anyText, 'PEM file'),
  kafkaKey: setting('kafka-key', '<file>', undefined, anyText, 'PEM file of the certificate’s key'),
  kafkaSasl: setting(
    'kafka-sasl',
    '<mechanism>',
    undefined,
    parseMechanism,
    `how to log in to Kafka: ${MECHANISMS.join(', ')}`,
  ),
  kafkaUsername: setting('kafka-username', '<name>', undefined, anyText, 'to log in with'),
  kafkaPassword: setting('kafka-password', '<text>', undefined, anyText, 'to log in with', {
    secret: true,
  }),
  topicPartitions: setting(
    'topic-partitions',
    '<number>',
    '12',
    wholeNumber(1, 1_000),
    'of each topic that is created: as many readers can share the work',
  ),
  topicReplication: setting(
    'topic-replication',
    '<number>',
    '-1',
    wholeNumber(-1, 9),
    'copies of each topic that is created; -1: as the broker does',
  ),
  topicRetention: setting(
    'topic-retention',
    '<time>',
    'by-topic',
    parseRetention,
    'how long records are kept: a time, unlimited, or by-topic',
  ),
  topicCompactionLag: setting(
    'topic-compaction-lag',
    '<time>',
    '1m',
    parseDuration,
    'how long each change of a compacted topic can be seen',
  ),
} as const;

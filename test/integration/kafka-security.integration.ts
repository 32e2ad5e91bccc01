// Kafka by TLS and SASL, as the settings name them: the same log, and a clear line for who is not let in.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Config, readConfig } from '../../src/app/config.ts';
import { explain } from '../../src/app/explain.ts';
import { claimSource, createTopics, openKafkaLog } from '../../src/app/open-kafka.ts';
import { systemClock } from '../../src/app/system-clock.ts';
import { logger, skip, type TestBroker, testBroker } from './kafka-broker.ts';

const PASSWORD = 'open-sesame';
const { signal } = new AbortController();

describe('Kafka by TLS and SASL', { skip }, () => {
  let dir: string;
  let broker: TestBroker;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'wickstream-tls-'));
    const keystore = join(dir, 'broker.p12');
    const store = ['-keystore', keystore, '-storepass', PASSWORD, '-alias', 'broker'];
    const key = ['-keyalg', 'EC', '-dname', 'CN=broker', '-ext', 'SAN=ip:127.0.0.1'];
    execFileSync('keytool', ['-genkeypair', ...key, ...store], { stdio: 'ignore' });
    const certificate = ['-exportcert', '-rfc', '-file', join(dir, 'ca.pem')];
    execFileSync('keytool', [...certificate, ...store], { stdio: 'ignore' });
    const user = { username: 'alice', password: PASSWORD };
    broker = await testBroker({ keystore, keystorePassword: PASSWORD, ...user });
  });
  after(async () => {
    await broker[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });

  const contextOf = (flags: Readonly<Record<string, string>>) => {
    const secure = { kafka: broker.secureServers ?? '', 'kafka-tls': 'on' };
    const trusting = { 'kafka-ca': join(dir, 'ca.pem'), 'kafka-username': 'alice' };
    const few = { 'topic-partitions': '1' };
    const all = { ...secure, ...trusting, ...few, 'kafka-password': PASSWORD, ...flags };
    const config: Config = readConfig({ flags: all, env: {}, isTerminal: false });
    return { config, clock: systemClock, logger, signal };
  };

  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']) {
    it(`lets in with ${mechanism}: topics are created, records written and read`, async () => {
      const prefix = `${mechanism.toLowerCase()}.`;
      const context = contextOf({ 'kafka-sasl': mechanism, 'topic-prefix': prefix });
      const reports = await createTopics(context);
      assert.ok(reports.every(({ state }) => state === 'created'));
      await using log = openKafkaLog(context);
      await claimSource(log, { kind: 'simulated', seed: 1 }, context);
      const another = claimSource(log, { kind: 'simulated', seed: 2 }, context);
      await assert.rejects(another, /hold simulat/);
    });
  }

  it('says who is not let in', async () => {
    const context = contextOf({ 'kafka-sasl': 'SCRAM-SHA-512', 'kafka-password': 'guessed' });
    const error = await createTopics(context).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    const { message = '' } = explain(error, context.config);
    assert.match(message, /--kafka-username/);
    assert.doesNotMatch(message, /guessed/);
  });

  it('says that it does not trust a certificate of an unknown authority', async () => {
    const { config, ...rest } = contextOf({ 'kafka-sasl': 'PLAIN' });
    const context = { ...rest, config: { ...config, kafkaCa: undefined } };
    const error = await createTopics(context).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    assert.match(explain(error, config).message ?? '', /--kafka-ca/);
  });
});

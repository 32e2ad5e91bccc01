// The log on a real Kafka broker keeps the port's contract.
import { after, before, describe } from 'node:test';
import { systemClock } from '../../src/app/system-clock.ts';
import { kafkaLog } from '../../src/log/kafka/kafka-log.ts';
import { logContract } from '../contracts/log-contract.ts';
import { logger, skip, type TestBroker, testBroker } from './kafka-broker.ts';

describe('Kafka', { skip }, () => {
  let broker: TestBroker;
  let group = 0;

  before(async () => {
    broker = await testBroker();
  });
  after(() => broker[Symbol.asyncDispose]());

  logContract('kafkaLog', async (topics) => {
    await broker.createTopics(topics);
    group++;
    return kafkaLog({
      servers: [broker.servers],
      topicPrefix: '',
      consumerGroup: `contract-${group}`,
      clock: systemClock,
      logger,
    });
  });
});

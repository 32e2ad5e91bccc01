import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EpochMs, epochMs } from '../../core/market/time.ts';
import type { Topic } from '../../protocol/topics.ts';
import type { PartitionPosition } from './fetcher.ts';
import { type AssignmentChange, KafkaConsumer, type Reading } from './kafka-consumer.ts';

const topic: Topic<string> = {
  name: 'input',
  cleanup: 'delete',
  encode: (value) => value,
  decode: (text) => text,
};
const at = (partition: number, offset: number) => ({ topic: 'input', partition, offset });

test('a commit refused in an assignment has all partitions read again, also those that are kept', async () => {
  const assignments = [Promise.withResolvers<AssignmentChange>()];
  const reading: Reading & { isStale: boolean } = {
    isStale: true,
    assign: () => assignments[0]?.promise ?? Promise.reject(new Error('no assignment')),
    commit: async () => true,
    close: async () => {},
  };
  const handed: (readonly number[])[] = [];
  const fetched: (readonly PartitionPosition[])[] = [];
  const consumer = new KafkaConsumer<string>({
    consumer: {
      ...{ group: 'copy', topics: [topic] },
      onAssignment: async ({ added }) => void handed.push(added),
    },
    reading,
    fetcher: {
      assign: (positions) => void fetched.push(positions),
      take: () => undefined,
      stop: () => {},
    },
    topicOf: () => topic,
    tail: () => async function* tail() {},
    clock: { now: (): EpochMs => epochMs(0), sleep: async () => {} },
    onClose: async () => {},
  });
  const { signal } = new AbortController();
  const first = consumer.poll({ timeoutMs: 0, signal });
  reading.isStale = false;
  assignments[0]?.resolve({ revoked: [], added: [0, 1], starts: [at(0, 5), at(1, 7)] });
  await first;

  // The group moves on; the poll is broken off while it waits for the others.
  const next = Promise.withResolvers<AssignmentChange>();
  assignments[0] = next;
  reading.isStale = true;
  const stop = new AbortController();
  const broken = consumer.poll({ timeoutMs: 0, signal: stop.signal });
  stop.abort();
  assert.deepEqual(await broken, []);
  assert.equal(await consumer.commit([]), false);
  reading.isStale = false;
  next.resolve({ revoked: [1], added: [], starts: [at(0, 5)] });
  await consumer.poll({ timeoutMs: 0, signal });
  assert.deepEqual(handed, [[0, 1], [0]]);
  assert.deepEqual(fetched.at(-1), [at(0, 5)]);
  await consumer[Symbol.asyncDispose]();
});

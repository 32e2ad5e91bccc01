// Several readers of one group on a real broker: shares, takeovers, fenced sleepers, aborted transactions, and the broker's own death.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../src/app/system-clock.ts';
import { epochMs } from '../../src/core/market/time.ts';
import { Cluster } from '../../src/log/kafka/cluster.ts';
import { fenceTransactionalId } from '../../src/log/kafka/transaction.ts';
import type { Assignment, Log, LogConsumer, LogRecord } from '../../src/log/log.ts';
import type { Topic } from '../../src/protocol/topics.ts';
import { PARTITIONS, retryOptions, skip, type TestBroker, testBroker } from './kafka-broker.ts';

const WAIT_MS = 60_000;
const { signal } = new AbortController();

describe('readers of one group over Kafka', { skip }, () => {
  let broker: TestBroker;
  before(async () => {
    broker = await testBroker();
  });
  after(() => broker[Symbol.asyncDispose]());

  const open = (prefix: string): Log => broker.openLog(prefix);

  async function topics(): Promise<{
    prefix: string;
    input: Topic<string>;
    output: Topic<string>;
  }> {
    const prefix = randomUUID();
    const input = textTopic('input');
    const output = textTopic('output');
    await broker.createTopics([input, output], { prefix: `${prefix}.` });
    return { prefix, input, output };
  }

  /** Copies input to output until it is told to end; remembers what it was assigned. */
  function copier(log: Log, input: Topic<string>, output: Topic<string>) {
    const stop = new AbortController();
    const owned = new Set<number>();
    const lost: string[][] = [];
    const consumer = log.consumer({
      group: 'copy',
      topics: [input],
      onAssignment: async ({ revoked, added }: Assignment) => {
        for (const partition of revoked) owned.delete(partition);
        for (const partition of added) owned.add(partition);
      },
    });
    const run = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const records = await consumer.poll({ timeoutMs: 200, signal: stop.signal });
        if (records.length === 0) continue;
        const outputs = records.map((record) => ({ ...record, topic: output }));
        if (!(await consumer.commit(outputs))) lost.push(records.map(({ value }) => value));
      }
    };
    const done = run();
    return {
      owned,
      lost,
      consumer,
      async end() {
        stop.abort();
        await done;
        await consumer[Symbol.asyncDispose]();
      },
    };
  }

  it('share the partitions, and hand over without loss or doubling as members come and go', async () => {
    const { prefix, input, output } = await topics();
    await using writer = open(prefix);
    await using one = open(prefix);
    await using two = open(prefix);
    const sent: string[] = [];
    const send = async (count: number): Promise<void> => {
      const records = Array.from({ length: count }, () => {
        const value = `${sent.length}`.padStart(5, '0');
        sent.push(value);
        return record(input, `S${sent.length % 7}`, value);
      });
      await writer.append(records);
    };
    const first = copier(one, input, output);
    await send(100);
    const reader = writer.consumer({ group: 'check', topics: [output] });
    const got: LogRecord<string>[] = [...(await pollCount(reader, 100))];
    assert.equal(first.owned.size, PARTITIONS);

    const second = copier(two, input, output);
    while (second.owned.size === 0) await send(20);
    await send(100);
    got.push(...(await pollCount(reader, sent.length - got.length)));
    assert.equal(first.owned.size + second.owned.size, PARTITIONS);
    assert.ok([...first.owned].every((number) => !second.owned.has(number)));

    await first.end();
    await send(100);
    got.push(...(await pollCount(reader, sent.length - got.length)));
    assert.equal(second.owned.size, PARTITIONS);
    await second.end();
    assert.deepEqual(got.map(({ value }) => value).sort(), sent);
    for (const key of new Set(got.map((each) => each.key))) {
      const values = got.filter((each) => each.key === key).map(({ value }) => value);
      assert.deepEqual(values, values.toSorted(), key);
    }
    assert.deepEqual(await reader.poll({ timeoutMs: 300, signal }), []);
    await reader[Symbol.asyncDispose]();
  });

  it('fence one who slept: what it writes after a takeover does not count', async () => {
    const { prefix, input, output } = await topics();
    await using writer = open(prefix);
    await writer.append([record(input, 'BTCUSDT', 'a'), record(input, 'BTCUSDT', 'b')]);
    await using one = open(prefix);
    const sleeper = one.consumer({ group: 'copy', topics: [input], onAssignment: async () => {} });
    const polled = await pollCount(sleeper, 2);
    const { partition = 0 } = polled[0] ?? {};

    // Its heartbeats go on, so the other must be let in by its next poll, which never comes: the
    // group goes on without it once it has waited long enough.
    await using two = open(prefix);
    const other = copier(two, input, output);
    await using reader = writer.consumer({ group: 'check', topics: [output] });
    assert.deepEqual(
      (await pollCount(reader, 2)).map(({ value }) => value),
      ['a', 'b'],
    );
    assert.ok(other.owned.has(partition));

    const outputs = polled.map((each) => ({
      ...each,
      topic: output,
      value: `zombie ${each.value}`,
    }));
    assert.equal(await sleeper.commit(outputs), false);
    assert.deepEqual(await reader.poll({ timeoutMs: 1_000, signal }), []);
    await other.end();
  });

  it('never see records of a transaction that was aborted', async () => {
    const { prefix, input, output } = await topics();
    await using log = open(prefix);
    await log.append([record(input, 'BTCUSDT', 'a')]);
    const consumer = log.consumer({ group: 'copy', topics: [input], onAssignment: async () => {} });
    await pollCount(consumer, 1);
    const cluster = new Cluster({ servers: [broker.servers] }, 'test');
    const id = await transactionalId(cluster, `${prefix}-copy`, `${prefix}.input`);
    // Whoever takes the id over while a transaction is open aborts it: here, again and again.
    let isOver = false;
    const aborting = (async () => {
      while (!isOver) await fenceTransactionalId(cluster, id, retryOptions(broker.servers));
    })();
    const outcomes: boolean[] = [];
    for (let round = 0; round < 20; round++) {
      const values = Array.from({ length: 200 }, (_, i) =>
        record(output, 'BTCUSDT', `${round}-${i}`),
      );
      const done = await consumer.commit(values);
      outcomes.push(done);
      // Void: what was polled comes again, and is polled so that the next commit is in order.
      if (!done) await consumer.poll({ timeoutMs: 2_000, signal });
    }
    isOver = true;
    await aborting;
    await cluster.close();
    const committed = outcomes.flatMap((done, round) => (done ? [round] : []));
    assert.ok(committed.length < outcomes.length, 'some were aborted');
    const last = await commitOnce(consumer, record(output, 'BTCUSDT', 'last'));
    assert.ok(last);
    await using reader = log.consumer({ group: 'check', topics: [output] });
    const values: string[] = [];
    while (values.at(-1) !== 'last') {
      for (const { value } of await reader.poll({ timeoutMs: WAIT_MS, signal })) values.push(value);
    }
    const expected = committed.flatMap((round) =>
      Array.from({ length: 200 }, (_, i) => `${round}-${i}`),
    );
    assert.deepEqual(values, [...expected, 'last']);
    await consumer[Symbol.asyncDispose]();
  });

  it('find everything that was acknowledged after the broker was killed in mid-write', async () => {
    const { prefix, input } = await topics();
    await using log = open(prefix);
    let sent = 0;
    const acknowledged: number[] = [];
    const write = async (until: () => boolean): Promise<void> => {
      while (!until()) {
        const batch = Array.from({ length: 100 }, () => sent++);
        await log.append(batch.map((n) => record(input, `S${n % 5}`, `${n}`.padStart(7, '0'))));
        acknowledged.push(...batch);
      }
    };
    for (let kill = 0; kill < 2; kill++) {
      const target = acknowledged.length + 3_000;
      const writing = write(() => acknowledged.length >= target && isBack);
      let isBack = false;
      while (acknowledged.length < target - 2_000) await systemClock.sleep(1);
      await broker.kill();
      await broker.start();
      isBack = true;
      await writing;
    }
    await using reader = log.consumer({ group: 'check', topics: [input] });
    const seen = new Set<string>();
    while (seen.size < acknowledged.length) {
      const got = await reader.poll({ timeoutMs: WAIT_MS, signal });
      assert.ok(got.length > 0, `${seen.size} of ${acknowledged.length}`);
      for (const { value } of got) seen.add(value);
    }
  });

  it('keep what is acknowledged though another write is refused meanwhile', async () => {
    const { prefix, input } = await topics();
    await using log = open(prefix);
    const write = (name: string) =>
      log.append(Array.from({ length: 100 }, (_, i) => record(input, 'BTCUSDT', `${name}${i}`)));
    await write('a');
    const tooLarge = record(input, 'BTCUSDT', randomBytes(2_000_000).toString('hex'));
    // A producer that numbers anew after the refusal, under the id of before, has b taken for a again.
    const [refused, ...others] = await Promise.allSettled([
      log.append([tooLarge]),
      write('b'),
      write('c'),
    ]);
    assert.match(String(refused.status === 'rejected' && refused.reason), /too large/);
    assert.deepEqual(
      others.map(({ status }) => status),
      ['fulfilled', 'fulfilled'],
    );
    await using reader = log.consumer({ group: 'check', topics: [input] });
    const names = (await pollCount(reader, 300)).map(({ value }) => value[0]);
    assert.deepEqual(
      names,
      [...'abc'].flatMap((name) => Array(100).fill(name)),
    );
  });

  it('write what other programs read: key, header, compression, time', {
    skip: noKcat(),
  }, async () => {
    const { prefix, input } = await topics();
    await using log = open(prefix);
    const many = Array.from({ length: 100 }, (_, i) => record(input, 'BTCUSDT', `value ${i}`));
    await log.append(many);
    const lines = execFileSync(
      'kcat',
      ['-C', '-b', broker.servers, '-t', `${prefix}.input`, '-e', '-q', '-f', '%k|%h|%T|%s\\n'],
      { encoding: 'utf8' },
    )
      .trim()
      .split('\n');
    assert.equal(lines.length, 100);
    assert.equal(lines[0], 'BTCUSDT|schema=1|1767225600000|value 0');
  });
});

function noKcat(): string | false {
  try {
    execFileSync('kcat', ['-V']);
    return false;
  } catch {
    if (process.env['CI'] === 'true')
      throw new Error('Expected kcat (Debian: apt-get install kcat)');
    return 'kcat is not installed';
  }
}

function textTopic(name: string): Topic<string> {
  return {
    name,
    cleanup: 'delete',
    encode: (value) => value,
    decode: (text) => text,
  };
}

function record(topic: Topic<string>, key: string, value: string): LogRecord<string> {
  return { topic, key, value, timestamp: epochMs(1_767_225_600_000) };
}

async function pollCount(
  consumer: LogConsumer<string>,
  count: number,
): Promise<readonly LogRecord<string>[]> {
  const got: LogRecord<string>[] = [];
  while (got.length < count) {
    const records = await consumer.poll({ timeoutMs: WAIT_MS, signal });
    assert.ok(records.length > 0, `${got.length} of ${count} records`);
    got.push(...records);
  }
  assert.equal(got.length, count);
  return got;
}

/** Until it counts: what was read since the last one is read again before each try. */
async function commitOnce(
  consumer: LogConsumer<string>,
  output: LogRecord<string>,
): Promise<boolean> {
  for (let tries = 0; tries < 5; tries++) {
    if (await consumer.commit([output])) return true;
    await consumer.poll({ timeoutMs: 2_000, signal });
  }
  return false;
}

/** The name its owner left beside its position. */
async function transactionalId(cluster: Cluster, groupId: string, topic: string): Promise<string> {
  const { offsetFetchV8 } = await import('@platformatic/kafka');
  const node = await cluster.coordinator('group', groupId);
  const group = { groupId, topics: [{ name: topic, partitionIndexes: [0, 1, 2] }] };
  const answer = await cluster.request(node, offsetFetchV8.api, [group] as never, false);
  const all = answer.groups.flatMap((each) => each.topics.flatMap(({ partitions }) => partitions));
  return all.find(({ metadata }) => metadata)?.metadata ?? '';
}

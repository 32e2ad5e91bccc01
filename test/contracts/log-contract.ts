// What every Log must do, run against each adapter. Promises order per key only (Kafka has partitions), and takes no step as done before it is awaited.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { type EpochMs, epochMs } from '../../src/core/market/time.ts';
import { type Log, type LogConsumer, type LogRecord, POLL_RECORDS_MAX } from '../../src/log/log.ts';
import type { Topic } from '../../src/protocol/topics.ts';

/** An empty log that has these topics; whoever gets it closes it. Called once a test, each time with new topic names. */
export type MakeLog = (topics: readonly Topic<string>[]) => Promise<Log>;

const TIMEOUT_MS = 20_000;
/** Long enough for a broker to answer that there is nothing. */
const EMPTY_TIMEOUT_MS = 20;
const TIME: EpochMs = epochMs(1_767_225_600_000);

interface Topics {
  readonly trades: Topic<string>;
  readonly candles: Topic<string>;
  readonly live: Topic<string>;
}

export function logContract(name: string, makeLog: MakeLog): void {
  const test = (fact: string, run: (log: Log, topics: Topics, t: TestContext) => Promise<void>) =>
    it(fact, async (t) => {
      const topics = newTopics();
      await using log = await makeLog(Object.values(topics));
      await run(log, topics, t);
    });

  describe(`${name} is a Log`, () => {
    describe('reading', () => readingContract(test));
    describe('groups and commits', () => commitContract(test));
    describe('compacted topics', () => compactionContract(test));
    describe('assignments and reading alone', () => assignmentContract(test));
    describe('waiting and closing', () => waitingContract(test));
  });
}

type Test = (fact: string, run: (log: Log, topics: Topics) => Promise<void>) => void;

function readingContract(test: Test): void {
  test('gives back key, value, topic and timestamp', async (log, { trades }) => {
    await using consumer = log.consumer({ group: 'reader', topics: [trades] });
    const sent = { topic: trades, key: 'ETHUSDT', value: 'ü "1"\n', timestamp: epochMs(1_234) };
    await log.append([sent]);
    const [got] = await pollCount(consumer, 1);
    assert.equal(got?.topic.name, trades.name);
    const { key, value, timestamp } = sent;
    assert.deepEqual([got?.key, got?.value, got?.timestamp], [key, value, timestamp]);
  });

  test('keeps the order of each key, over appends and polls', async (log, { trades }) => {
    await using consumer = log.consumer({ group: 'reader', topics: [trades] });
    const keys = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
    for (let batch = 0; batch < 10; batch++) {
      await log.append(
        Array.from({ length: 30 }, (_, i) =>
          record(trades, keys[i % 3] ?? '', `${batch * 30 + i}`.padStart(4, '0')),
        ),
      );
    }
    const got = await pollCount(consumer, 300);
    for (const key of keys) {
      const values = got.filter((one) => one.key === key).map(({ value }) => value);
      assert.equal(values.length, 100);
      assert.deepEqual(values, values.toSorted());
    }
  });

  test('gives at most POLL_RECORDS_MAX a poll, and the rest after', async (log, { trades }) => {
    await using consumer = log.consumer({ group: 'reader', topics: [trades] });
    const count = POLL_RECORDS_MAX + 10;
    await log.append(Array.from({ length: count }, (_, i) => record(trades, 'BTCUSDT', `${i}`)));
    const values: string[] = [];
    while (values.length < count) {
      const got = await pollSome(consumer);
      assert.ok(got.length <= POLL_RECORDS_MAX);
      for (const { value } of got) values.push(value);
    }
    assert.deepEqual(
      values,
      Array.from({ length: count }, (_, i) => `${i}`),
    );
  });

  test('reads several topics with one consumer', async (log, { trades, candles }) => {
    await using consumer = log.consumer({ group: 'reader', topics: [trades, candles] });
    await log.append([
      record(trades, 'BTCUSDT', 't1'),
      record(candles, 'BTCUSDT', 'c1'),
      record(trades, 'BTCUSDT', 't2'),
    ]);
    const got = await pollCount(consumer, 3);
    assert.deepEqual(valuesOf(got, trades), ['t1', 't2']);
    assert.deepEqual(valuesOf(got, candles), ['c1']);
  });
}

function commitContract(test: Test): void {
  test('gives every group every record', async (log, { trades }) => {
    await using first = log.consumer({ group: 'first', topics: [trades] });
    await using second = log.consumer({ group: 'second', topics: [trades] });
    await log.append([record(trades, 'BTCUSDT', 'a'), record(trades, 'BTCUSDT', 'b')]);
    assert.deepEqual(valuesOf(await pollCount(first, 2), trades), ['a', 'b']);
    await first.commit([]);
    assert.deepEqual(valuesOf(await pollCount(second, 2), trades), ['a', 'b']);
  });

  test('goes on behind what the group has committed', async (log, { trades }) => {
    {
      await using consumer = log.consumer({ group: 'reader', topics: [trades] });
      await log.append([record(trades, 'BTCUSDT', 'a'), record(trades, 'BTCUSDT', 'b')]);
      await pollCount(consumer, 2);
      await consumer.commit([]);
    }
    await log.append([record(trades, 'BTCUSDT', 'c')]);
    await using consumer = log.consumer({ group: 'reader', topics: [trades] });
    assert.deepEqual(valuesOf(await pollCount(consumer, 1), trades), ['c']);
    assert.deepEqual(await pollNothing(consumer), []);
  });

  test('gives again what was polled and not committed', async (log, { trades }) => {
    {
      await using consumer = log.consumer({ group: 'reader', topics: [trades] });
      await log.append([record(trades, 'BTCUSDT', 'a')]);
      await pollCount(consumer, 1);
      await consumer.commit([]);
      await log.append([record(trades, 'BTCUSDT', 'b'), record(trades, 'BTCUSDT', 'c')]);
      await pollCount(consumer, 2);
    }
    await using consumer = log.consumer({ group: 'reader', topics: [trades] });
    assert.deepEqual(valuesOf(await pollCount(consumer, 2), trades), ['b', 'c']);
  });

  test('commits the position and the outputs in one step', async (log, { trades, candles }) => {
    await using candleReader = log.consumer({ group: 'persist', topics: [candles] });
    {
      await using consumer = log.consumer({ group: 'aggregate', topics: [trades] });
      await log.append([record(trades, 'BTCUSDT', 'a')]);
      await pollCount(consumer, 1);
      await consumer.commit([record(candles, 'BTCUSDT', 'candle of a')]);
    }
    assert.deepEqual(valuesOf(await pollCount(candleReader, 1), candles), ['candle of a']);
    await using consumer = log.consumer({ group: 'aggregate', topics: [trades] });
    assert.deepEqual(await pollNothing(consumer), []);
    assert.deepEqual(await pollNothing(candleReader), []);
  });
}

function compactionContract(test: Test): void {
  test("gives each key's newest, once a poll", async (log, { live }) => {
    await using consumer = log.consumer({ group: 'serve', topics: [live] });
    await log.append([
      record(live, 'BTCUSDT:1m', '1'),
      record(live, 'ETHUSDT:1m', '1'),
      record(live, 'BTCUSDT:1m', '2'),
      record(live, 'BTCUSDT:1m', '3'),
    ]);
    const newest = new Map<string, string>();
    while (newest.get('BTCUSDT:1m') !== '3' || newest.size < 2) {
      const got = await pollSome(consumer);
      assert.equal(new Set(got.map(({ key }) => key)).size, got.length);
      for (const { key, value } of got) newest.set(key, value);
    }
    assert.deepEqual(Object.fromEntries(newest), { 'BTCUSDT:1m': '3', 'ETHUSDT:1m': '1' });
    assert.deepEqual(await pollNothing(consumer), []);
  });

  test('gives a later group the state, and a group only what changed', async (log, { live }) => {
    await log.append([record(live, 'BTCUSDT:1m', '1'), record(live, 'ETHUSDT:1m', '1')]);
    {
      await using consumer = log.consumer({ group: 'serve', topics: [live] });
      assert.equal((await pollCount(consumer, 2)).length, 2);
      await consumer.commit([]);
    }
    await log.append([record(live, 'ETHUSDT:1m', '2')]);
    await using consumer = log.consumer({ group: 'serve', topics: [live] });
    const got = await pollCount(consumer, 1);
    assert.deepEqual(
      got.map(({ key, value }) => [key, value]),
      [['ETHUSDT:1m', '2']],
    );
    assert.deepEqual(await pollNothing(consumer), []);
  });
}

function assignmentContract(test: Test): void {
  test('hands the partitions over before their first record', async (log, { trades }) => {
    const added = new Set<number>();
    await using consumer = log.consumer({
      group: 'aggregate',
      topics: [trades],
      onAssignment: async (assignment) => {
        for (const partition of assignment.added) added.add(partition);
        assert.deepEqual(assignment.revoked, []);
      },
    });
    await log.append([record(trades, 'BTCUSDT', 'a'), record(trades, 'ETHUSDT', 'b')]);
    for (const { partition = 0 } of await pollCount(consumer, 2)) assert.ok(added.has(partition));
    assert.equal(await consumer.commit([record(trades, 'SOLUSDT', 'c')]), true);
    assert.deepEqual(valuesOf(await pollCount(consumer, 1), trades), ['c']);
  });

  test('gives a reader alone the state of a compacted topic, at each start', async (log, topics) => {
    const { live } = topics;
    await log.append([record(live, 'BTCUSDT:1m', '1'), record(live, 'BTCUSDT:1m', '2')]);
    for (const reader of ['first', 'second']) {
      await using consumer = log.consumer({ group: reader, topics: [live], reading: 'alone' });
      let newest = '';
      while (newest !== '2') newest = (await pollSome(consumer)).at(-1)?.value ?? '';
      assert.equal(await consumer.commit([]), true);
    }
  });

  test('gives a reader alone what comes', async (log, { trades }) => {
    await using consumer = log.consumer({ group: 'serve', topics: [trades], reading: 'alone' });
    await pollNothing(consumer);
    await log.append([record(trades, 'BTCUSDT', 'a')]);
    assert.deepEqual(valuesOf(await pollCount(consumer, 1), trades), ['a']);
  });
}

function waitingContract(test: Test): void {
  test('wakes a waiting poll when a record comes', async (log, { trades }) => {
    await using consumer = log.consumer({ group: 'reader', topics: [trades] });
    const polled = pollCount(consumer, 1);
    await log.append([record(trades, 'BTCUSDT', 'a')]);
    assert.deepEqual(valuesOf(await polled, trades), ['a']);
  });

  test('loses no wake-up however polls and appends meet', async (log, { trades }) => {
    await using consumer = log.consumer({ group: 'reader', topics: [trades] });
    const count = 50;
    const reading = pollCount(consumer, count);
    for (let i = 0; i < count; i++) {
      const appended = log.append([record(trades, 'BTCUSDT', `${i}`)]);
      for (let hop = 0; hop < i % 7; hop++) await Promise.resolve();
      await appended;
    }
    assert.deepEqual(
      valuesOf(await reading, trades),
      Array.from({ length: count }, (_, i) => `${i}`),
    );
  });

  test('answers an empty list when the time is over', async (log, { trades }) => {
    await using consumer = log.consumer({ group: 'reader', topics: [trades] });
    assert.deepEqual(await pollNothing(consumer), []);
  });

  test('wakes a silent poll at abort and at close', async (log, { trades }) => {
    const consumer = log.consumer({ group: 'reader', topics: [trades] });
    const abort = new AbortController();
    const aborted = consumer.poll({ timeoutMs: TIMEOUT_MS, signal: abort.signal });
    abort.abort();
    assert.deepEqual(await aborted, []);
    assert.deepEqual(await consumer.poll({ timeoutMs: TIMEOUT_MS, signal: abort.signal }), []);

    const { signal } = new AbortController();
    const closed = consumer.poll({ timeoutMs: TIMEOUT_MS, signal });
    await consumer[Symbol.asyncDispose]();
    assert.deepEqual(await closed, []);
    await consumer[Symbol.asyncDispose]();
    await assert.rejects(consumer.poll({ timeoutMs: 0, signal }), /closed/);
    await assert.rejects(consumer.commit([]), /closed/);
  });

  test('takes nothing after its close, however often it is closed', async (log, { trades }) => {
    await log[Symbol.asyncDispose]();
    await log[Symbol.asyncDispose]();
    await assert.rejects(log.append([record(trades, 'BTCUSDT', 'a')]), /closed/);
  });
}

function newTopics(): Topics {
  const prefix = `contract-${randomUUID()}`;
  const topic = (name: string, cleanup: 'delete' | 'compact'): Topic<string> => ({
    name: `${prefix}.${name}`,
    cleanup,
    encode: (value) => JSON.stringify(value),
    decode: (text) => String(JSON.parse(text)),
  });
  return {
    trades: topic('trades', 'delete'),
    candles: topic('candles', 'delete'),
    live: topic('live', 'compact'),
  };
}

function record(topic: Topic<string>, key: string, value: string): LogRecord<string> {
  return { topic, key, value, timestamp: TIME };
}

function valuesOf(records: readonly LogRecord<string>[], topic: Topic<string>): readonly string[] {
  return records.filter((one) => one.topic.name === topic.name).map(({ value }) => value);
}

/** One poll that must find something. */
async function pollSome(consumer: LogConsumer<string>): Promise<readonly LogRecord<string>[]> {
  const { signal } = new AbortController();
  const got = await consumer.poll({ timeoutMs: TIMEOUT_MS, signal });
  assert.ok(got.length > 0, `a record within ${TIMEOUT_MS} ms`);
  return got;
}

async function pollCount(
  consumer: LogConsumer<string>,
  count: number,
): Promise<readonly LogRecord<string>[]> {
  const got: LogRecord<string>[] = [];
  while (got.length < count) got.push(...(await pollSome(consumer)));
  assert.equal(got.length, count);
  return got;
}

function pollNothing(consumer: LogConsumer<string>): Promise<readonly LogRecord<string>[]> {
  const { signal } = new AbortController();
  return consumer.poll({ timeoutMs: EMPTY_TIMEOUT_MS, signal });
}

// I6 I7: the same records through memory and through Kafka, with one, two and four aggregators: the same bytes, record by record, of each key.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../src/app/system-clock.ts';
import { INTERVALS } from '../../src/core/market/interval.ts';
import { timeOfTick } from '../../src/core/market/raw-tick.ts';
import type { AnyLogRecord, Log, LogRecord } from '../../src/log/log.ts';
import { memoryLog } from '../../src/log/memory/memory-log.ts';
import { OHLCV, OHLCV_LIVE, RAW_TICKS, TOPICS, type Topic } from '../../src/protocol/topics.ts';
import { aggregate } from '../../src/stages/aggregate.ts';
import { logger, skip, type TestBroker, testBroker } from './kafka-broker.ts';
import { type MarketShape, symbolNames, ticksOf } from './kafka-chaos/market.ts';

const SHAPE: MarketShape = { seed: 7, symbols: 7, trades: 7_000, minutes: 65 };
const CHUNK = 500;
const WAIT_MS = 60_000;
/** Nothing more comes: longer than an update of the open candles takes. */
const QUIET_MS = 3_000;
const { signal } = new AbortController();

/** All symbols' records, a few of each at a time, as they would come. */
function chunks(): AnyLogRecord[][] {
  const lanes = symbolNames(SHAPE.symbols).map((key, index) =>
    ticksOf(SHAPE, index).map((value) => ({
      topic: RAW_TICKS,
      key,
      value,
      timestamp: timeOfTick(value),
    })),
  );
  const mixed: AnyLogRecord[] = [];
  for (let at = 0; lanes.some(({ length }) => length > at); at += 10) {
    for (const lane of lanes) mixed.push(...lane.slice(at, at + 10));
  }
  return Array.from({ length: Math.ceil(mixed.length / CHUNK) }, (_, index) =>
    mixed.slice(index * CHUNK, (index + 1) * CHUNK),
  );
}

/** Texts of each topic and key, in order; of `ohlcv_live` only the last. */
type Published = Map<string, string[]>;

async function collect(log: Log, count?: number): Promise<Published> {
  const topics: Topic<unknown>[] = [...Object.values(OHLCV), OHLCV_LIVE] as Topic<unknown>[];
  await using consumer = log.consumer<unknown>({ group: randomUUID(), topics });
  const published: Published = new Map();
  for (let got = 0; ; ) {
    const isWhole = count !== undefined && got >= count;
    const timeoutMs = isWhole || count === undefined ? QUIET_MS : WAIT_MS;
    const records = await consumer.poll({ timeoutMs, signal });
    if (records.length === 0) return published;
    got += records.filter(({ topic }) => topic.name !== OHLCV_LIVE.name).length;
    for (const record of records) note(published, record);
  }
}

function note(published: Published, { topic, key, value }: LogRecord<unknown>): void {
  const name = `${topic.name} ${key}`;
  const texts = published.get(name);
  const text = topic.encode(value);
  if (texts === undefined || topic.name === OHLCV_LIVE.name) published.set(name, [text]);
  else texts.push(text);
}

function countOf(published: Published): number {
  let count = 0;
  for (const [name, texts] of published) {
    if (!name.startsWith(OHLCV_LIVE.name)) count += texts.length;
  }
  return count;
}

async function throughMemory(): Promise<Published> {
  const log = memoryLog({
    clock: systemClock,
    retention: () => ({
      atBound: 'wait',
      recordsMax: 1_000_000,
      unheldRecordsMax: 1_000_000,
    }),
  });
  const stop = new AbortController();
  const collected = collect(log);
  const options = { intervals: INTERVALS, clock: systemClock, logger, signal: stop.signal };
  const aggregating = aggregate({ log, ...options });
  for (const chunk of chunks()) await log.append(chunk);
  const published = await collected;
  stop.abort();
  await aggregating;
  await log[Symbol.asyncDispose]();
  return published;
}

describe('aggregators over Kafka', { skip }, () => {
  let broker: TestBroker;
  let expected: Published;
  before(async () => {
    broker = await testBroker();
    expected = await throughMemory();
    assert.ok(countOf(expected) > 7 * 65 * 60, `${countOf(expected)} candles`);
  });
  after(() => broker[Symbol.asyncDispose]());

  const open = (prefix: string): Log => broker.openLog(prefix);

  for (const count of [1, 2, 4]) {
    it(`${count} of them give the bytes that one in process gives`, async () => {
      const prefix = randomUUID();
      await broker.createTopics(TOPICS, { prefix: `${prefix}.`, partitions: 5 });
      await using writer = open(prefix);
      const stop = new AbortController();
      const logs = Array.from({ length: count }, () => open(prefix));
      const options = { intervals: INTERVALS, clock: systemClock, logger, signal: stop.signal };
      const aggregating = logs.map((log) => aggregate({ log, liveUpdateMs: 40, ...options }));
      for (const chunk of chunks()) await writer.append(chunk);
      const published = await collect(writer, countOf(expected));
      stop.abort();
      await Promise.all(aggregating);
      for (const log of logs) await log[Symbol.asyncDispose]();
      assert.deepEqual([...published.keys()].sort(), [...expected.keys()].sort());
      for (const [name, texts] of expected) assert.deepEqual(published.get(name), texts, name);
    });
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Level, pino } from 'pino';
import type { AggTrade } from '../core/market/agg-trade.ts';
import type { Candle } from '../core/market/candle.ts';
import { FEED_STATUS_INTERVAL_MS, type FeedStatus } from '../core/market/feed-status.ts';
import { marketSymbol } from '../core/market/symbol.ts';
import { type Clock, type EpochMs, epochMs } from '../core/market/time.ts';
import { FeedError, type FeedEvent, type MarketFeed } from '../feed/market-feed.ts';
import type { AnyLogRecord, Log } from '../log/log.ts';
import { memoryLog } from '../log/memory/memory-log.ts';
import { EVIDENCE, FEED_STATUS, RAW_TICKS, RAW_TICKS_DLQ, REPAIRS } from '../protocol/topics.ts';
import type { CandleStore } from '../store/candle-store.ts';
import { HISTORY_CHUNK } from './ingest/history-writer.ts';
import { ingest } from './ingest.ts';
import { manualClock } from './serve/testing/manual-clock.ts';

const BTCUSDT = marketSymbol('BTCUSDT');
const trade: AggTrade = {
  symbol: BTCUSDT,
  aggTradeId: 7,
  priceInteger: 90_241,
  priceFraction: 12_000_000,
  quantityInteger: 0,
  quantityFraction: 100_000,
  firstTradeId: 9,
  lastTradeId: 9,
  tradeTime: epochMs(1_000),
  eventTime: epochMs(1_100),
  buyerIsMaker: false,
};

/** A log in memory whose appends go to the test alone. */
function logThat(append: Log['append']): Log {
  const log = memoryLog();
  return {
    append,
    consumer: (options) => log.consumer(options),
    [Symbol.asyncDispose]: async () => {},
  };
}

interface Run {
  readonly records: readonly AnyLogRecord[];
  readonly lines: readonly string[];
  readonly stored: readonly (readonly Candle[])[];
  readonly beat: () => void;
}

/** Ingests `events`; the clock shows 1,150 and is 50 ms behind the exchange. */
async function run(
  events: readonly FeedEvent[],
  options: {
    readonly error?: Error;
    readonly level?: Level;
    readonly storeFaults?: number;
    readonly clockOffsetMs?: number;
  } = {},
): Promise<Run> {
  const records: AnyLogRecord[] = [];
  const lines: string[] = [];
  const stored: (readonly Candle[])[] = [];
  const sleepers = new Set<() => void>();
  const clock: Clock = {
    now: () => 1_150 as EpochMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        // A pause before the store is tried again takes no time.
        if (ms < FEED_STATUS_INTERVAL_MS) return resolve();
        sleepers.add(resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
  };
  const beat = () => {
    for (const wake of sleepers) wake();
    sleepers.clear();
  };
  const feed: MarketFeed = {
    source: { kind: 'binance', host: 'test' },
    clockOffsetMs: options.clockOffsetMs ?? 50,
    async *stream() {
      yield* events;
      beat();
      await new Promise(setImmediate);
      if (options.error !== undefined) throw options.error;
    },
    ask() {},
    add() {},
    remove() {},
    async [Symbol.asyncDispose]() {},
  };
  const log = logThat(async (some) => void records.push(...some));
  let faults = options.storeFaults ?? 0;
  const store = {
    async write(candles: readonly Candle[]) {
      if (faults-- > 0) throw new Error('database is locked');
      stored.push(candles);
    },
  };
  const logger = pino(
    { level: options.level ?? 'info' },
    { write: (line: string) => void lines.push(JSON.parse(line).msg) },
  );
  await ingest({
    feed,
    log,
    store: store as unknown as CandleStore,
    starts: [],
    clock,
    logger,
    signal: new AbortController().signal,
  });
  return { records, lines, stored, beat };
}

test('the exchange’s clock is told before the records that are judged by it', async () => {
  const ticks = { type: 'ticks', ticks: [{ type: 'aggTrade', trade }] } as const;
  const { records } = await run([ticks, ticks], { clockOffsetMs: -300_000 });
  const names = records.slice(0, 3).map(({ topic }) => topic.name);
  assert.deepEqual(names, [FEED_STATUS.name, RAW_TICKS.name, RAW_TICKS.name]);
  assert.equal(records[0]?.value.clockOffsetMs, -300_000);
});

test('trades go to raw_ticks in order, keyed by symbol, at their trade time', async () => {
  const ticks = [
    { type: 'aggTrade', trade },
    { type: 'watermark', watermark: { symbol: BTCUSDT, time: epochMs(60_000), aggTradeId: 7 } },
  ] as const;
  const { records } = await run([{ type: 'ticks', ticks }]);
  const raw = records.filter(({ topic }) => topic === RAW_TICKS);
  assert.deepEqual(
    raw.map(({ key, value, timestamp }) => [key, value, timestamp]),
    [
      ['BTCUSDT', ticks[0], 1_000],
      ['BTCUSDT', ticks[1], 60_000],
    ],
  );
});

test('at debug each trade prints the line the seed’s users know', async () => {
  const event = { type: 'ticks', ticks: [{ type: 'aggTrade', trade }] } as const;
  const whole = { ...trade, priceFraction: 0, priceInteger: 90_200 };
  const other = { type: 'ticks', ticks: [{ type: 'aggTrade', trade: whole }] } as const;
  const { lines } = await run([event, other], { level: 'debug' });
  assert.deepEqual(lines, ['Sent tick → BTCUSDT 90241.12', 'Sent tick → BTCUSDT 90200']);
  assert.deepEqual((await run([event])).lines, []);
});

test('what was no trade goes to the dead letters with its reason', async () => {
  const { records } = await run([{ type: 'rejected', reason: 'no JSON', payload: '{' }]);
  const dead = records.find(({ topic }) => topic === RAW_TICKS_DLQ);
  assert.deepEqual(dead?.value, { reason: 'no JSON', payload: '{', receivedAt: 1_150 });
});

test('the status is written at each change and with every beat, with the delay of the newest trade', async () => {
  const { records } = await run([
    { type: 'state', state: 'catching-up', symbols: new Map([[BTCUSDT, 'catching-up']]) },
    { type: 'ticks', ticks: [{ type: 'aggTrade', trade }] },
    { type: 'state', state: 'stale', reason: 'silent', symbols: new Map() },
  ]);
  const statuses = records.filter(({ topic }) => topic === FEED_STATUS);
  assert.deepEqual(statuses[0]?.value, {
    source: { kind: 'binance', host: 'test' },
    state: 'catching-up',
    since: 1_150,
    at: 1_150,
    clockOffsetMs: 50,
    symbols: { BTCUSDT: 'catching-up' },
  });
  assert.equal(statuses[0]?.key, 'binance:test');
  assert.equal(statuses[1]?.value.reason, 'silent');
  assert.equal(statuses[1]?.value.feedDelayMs, 100);
  assert.deepEqual(statuses[2]?.value, statuses[1]?.value, 'the beat repeats what is');
});

test('history is written to the store in chunks, all of it before the end', async () => {
  const candles = Array.from({ length: HISTORY_CHUNK + 1 }, () => ({}) as Candle);
  const { stored } = await run([{ type: 'history', candles }]);
  assert.deepEqual(
    stored.map(({ length }) => length),
    [HISTORY_CHUNK, 1],
  );
});

test('what the feed throws is thrown on', async () => {
  const error = new FeedError('unknown-symbol', 'Expected a symbol, was "X"');
  await assert.rejects(run([], { error }), error);
});

test('a fault of the store while history is written ends nothing: it is told and tried again', async () => {
  const candles = [{} as Candle];
  const { stored, lines } = await run(
    [
      { type: 'history', candles },
      { type: 'ticks', ticks: [{ type: 'aggTrade', trade }] },
    ],
    { storeFaults: 2 },
  );
  assert.deepEqual(stored, [candles]);
  assert.deepEqual(
    lines.filter((line) => line.includes('database is locked')),
    [100, 200].map(
      (ms) =>
        `The candle store failed to take history: database is locked; trying again in ${ms} ms`,
    ),
  );
});

test('what the feed throws is thrown on, also while the store fails', async () => {
  const error = new FeedError('unknown-symbol', 'Expected a symbol, was "X"');
  const events = [{ type: 'history', candles: [{} as Candle] }] as const;
  await assert.rejects(run(events, { error, storeFaults: Number.POSITIVE_INFINITY }), error);
});

/** A recording of nothing but its going live. */
function endingFeed(): MarketFeed {
  return {
    source: { kind: 'recording', name: 'binance:test/day.ndjson' },
    clockOffsetMs: 0,
    async *stream() {
      yield { type: 'state', state: 'live', symbols: new Map() };
    },
    ask() {},
    add() {},
    remove() {},
    async [Symbol.asyncDispose]() {},
  };
}

test('an ended feed is told once and stays on the screen as offline, until the signal', async () => {
  const clock = manualClock(10_000);
  const stop = new AbortController();
  const statuses: FeedStatus[] = [];
  const append = async (records: readonly AnyLogRecord[]) => {
    for (const { topic, value } of records) if (topic === FEED_STATUS) statuses.push(value);
  };
  let ends = 0;
  let isResolved = false;
  const running = ingest({
    feed: endingFeed(),
    log: logThat(append),
    starts: [],
    clock,
    logger: pino({ level: 'silent' }),
    onEnded: () => {
      ends += 1;
    },
    signal: stop.signal,
  }).then(() => {
    isResolved = true;
  });
  await clock.advance(3_000);
  assert.equal(ends, 1);
  assert.equal(isResolved, false);
  const reason = 'The recording is at its end.';
  assert.deepEqual(
    statuses.map((status) => [status.state, status.reason, status.since, status.at]),
    [
      ['live', undefined, 10_000, 10_000],
      ['offline', reason, 10_000, 10_000],
      ['offline', reason, 10_000, 11_000],
      ['offline', reason, 10_000, 12_000],
      ['offline', reason, 10_000, 13_000],
    ],
  );
  stop.abort();
  await running;
  assert.equal(ends, 1);
});

test('a feed that the signal ended has not ended by itself', async () => {
  const stop = new AbortController();
  const running = ingest({
    feed: endingFeed(),
    log: logThat(async () => stop.abort()),
    starts: [],
    clock: manualClock(0),
    logger: pino({ level: 'silent' }),
    onEnded: () => assert.fail('told of an end'),
    signal: stop.signal,
  });
  await running;
});

test('what the audit asks in the log is asked of the feed, and its evidence goes to the log', async () => {
  const log = memoryLog();
  const stop = new AbortController();
  const asked: unknown[] = [];
  const openTime = epochMs(60_000);
  const evidence = { type: 'absent', symbol: BTCUSDT, openTime } as const;
  const request = { type: 'trades', symbol: BTCUSDT, openTime } as const;
  const answers = Promise.withResolvers<void>();
  const feed: MarketFeed = {
    ...endingFeed(),
    async *stream() {
      await answers.promise;
      yield { type: 'evidence', evidence };
    },
    ask(request) {
      asked.push(request);
      answers.resolve();
    },
  };
  await using consumer = log.consumer({ group: 'test', topics: [EVIDENCE] });
  const running = ingest({
    feed,
    log,
    starts: [],
    clock: manualClock(0),
    logger: pino({ level: 'silent' }),
    onEnded: () => {},
    signal: stop.signal,
  });
  await log.append([{ topic: REPAIRS, key: BTCUSDT, value: request, timestamp: openTime }]);
  const records = await consumer.poll({ timeoutMs: 5_000, signal: stop.signal });
  assert.deepEqual(asked, [request]);
  assert.deepEqual(
    records.map(({ key, value }) => [key, value]),
    [[BTCUSDT, evidence]],
  );
  stop.abort();
  await running;
});

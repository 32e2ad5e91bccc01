// I7: what was recorded live, replayed, gives the same bytes in raw_ticks and in every closed-candle topic, and the same last open candles.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { systemClock } from '../../src/app/system-clock.ts';
import { INTERVALS } from '../../src/core/market/interval.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { binanceFeed } from '../../src/feed/binance/feed.ts';
import type { MarketFeed } from '../../src/feed/market-feed.ts';
import { recordTicks } from '../../src/feed/recording/record.ts';
import { recordingFeed } from '../../src/feed/recording/recording-feed.ts';
import { openRecordingWriter } from '../../src/feed/recording/recording-writer.ts';
import type { Log } from '../../src/log/log.ts';
import { memoryLog } from '../../src/log/memory/memory-log.ts';
import { OHLCV, OHLCV_LIVE, RAW_TICKS, type Topic } from '../../src/protocol/topics.ts';
import { aggregate } from '../../src/stages/aggregate.ts';
import { ingest } from '../../src/stages/ingest.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { temporaryDir } from './pipeline.ts';

const SYMBOLS = ['BTCUSDT', 'ETHBTC'];
const MINUTE_MS = 60_000;
/** Ten minutes before midnight, so that days, and with them longer windows, close. */
const FROM = Date.UTC(2026, 0, 31, 23, 50);
const TO = FROM + 20 * MINUTE_MS;
const LOGGER = pino({ level: 'silent' });

interface Read {
  /** Every record of raw_ticks and ohlcv_…, encoded, by topic and key. */
  readonly bytes: ReadonlyMap<string, readonly string[]>;
  /** Each key's last open candle. */
  readonly live: ReadonlyMap<string, string>;
}

/** Runs ingest and aggregate over `feed` until a 1m candle of each symbol opens at `last`; answers what the log got. */
async function run(feed: MarketFeed, last: number, file?: string): Promise<Read> {
  const bytes = new Map<string, string[]>();
  const live = new Map<string, string>();
  const stop = new AbortController();
  const reading = new AbortController();
  await using log = memoryLog();
  const missing = new Set(SYMBOLS);
  const note = (topic: Topic<unknown>, key: string, value: unknown) => {
    const held = bytes.get(`${topic.name} ${key}`) ?? [];
    bytes.set(`${topic.name} ${key}`, held);
    held.push(topic.encode(value));
  };
  await using writer =
    file === undefined
      ? undefined
      : await openRecordingWriter({
          path: file,
          source: feed.source,
          symbols: SYMBOLS.map(marketSymbol),
          clock: systemClock,
        });
  const signal = reading.signal;
  const working = [
    follow(
      log,
      'candles',
      INTERVALS.map((interval) => OHLCV[interval]),
      signal,
      (topic, key, candle) => {
        note(topic, key, candle);
        if (candle.interval === '1m' && candle.openTime === last) missing.delete(candle.symbol);
        if (missing.size === 0) stop.abort();
      },
    ),
    follow(log, 'raw', [RAW_TICKS], signal, note),
    follow(log, 'live', [OHLCV_LIVE], signal, (_topic, key, candle) => {
      live.set(key, OHLCV_LIVE.encode(candle));
    }),
    aggregate({
      log,
      intervals: INTERVALS,
      clock: systemClock,
      restore: async () => undefined,
      logger: LOGGER,
      signal,
    }),
    ...(writer === undefined ? [] : [recordTicks({ log, writer, signal })]),
  ];
  const starts = SYMBOLS.map((name) => ({ symbol: marketSymbol(name), resumeFrom: undefined }));
  await ingest({ feed, log, starts, clock: systemClock, logger: LOGGER, signal: stop.signal });
  reading.abort();
  await Promise.all(working);
  return { bytes, live };
}

async function follow<T>(
  log: Log,
  group: string,
  topics: readonly Topic<T>[],
  signal: AbortSignal,
  onRecord: (topic: Topic<T>, key: string, value: T) => void,
): Promise<void> {
  await using consumer = log.consumer({ group, topics });
  const readOn = async (timeoutMs: number, until: AbortSignal): Promise<void> => {
    const records = await consumer.poll({ timeoutMs, signal: until });
    for (const { topic, key, value } of records) onRecord(topic, key, value);
    await consumer.commit([]);
  };
  while (!signal.aborted) await readOn(1_000, signal);
  await readOn(0, new AbortController().signal);
}

test('I7: a recording replayed as fast as it can gives the bytes of the live run', async () => {
  await using dir = await temporaryDir();
  const klines = generateHistory({ seed: 3, to: FROM, days: 40 });
  await using exchange = await createFakeExchange({
    symbols: SYMBOLS.map((symbol) => ({ symbol, klines })),
    clock: manualClock(FROM + 20_000),
  });
  const feed = binanceFeed({
    restUrls: [exchange.restUrl],
    webSocketUrls: [exchange.wsUrl],
    clock: systemClock,
    random: () => 0.5,
    logger: LOGGER,
    historyIntervals: [],
  });
  const file = join(dir.path, 'market.ndjson');
  const running = run(feed, TO - MINUTE_MS, file);
  await exchange.whenSubscribed('btcusdt@aggTrade', 'ethbtc@aggTrade');
  await exchange.playAll({
    BTCUSDT: generateTrades({ seed: 1, from: FROM + 20_000, to: TO, tradesPerSecond: 3 }),
    ETHBTC: generateTrades({ seed: 2, from: FROM + 20_000, to: TO, tradesPerSecond: 0.05 }),
  });
  exchange.advanceTo(TO + 5_000);
  const recorded = await running;
  await feed[Symbol.asyncDispose]();

  for (const interval of ['1s', '1m', '5m', '1h', '1d', '1M']) {
    const count = recorded.bytes.get(`ohlcv_${interval} BTCUSDT`)?.length ?? 0;
    assert.ok(count > 0, `${interval} candles closed in the live run`);
  }
  const replayed = await run(
    await recordingFeed({ path: file, speed: 0, clock: systemClock, logger: LOGGER }),
    TO - MINUTE_MS,
  );
  const keys = [...recorded.bytes.keys()].sort();
  assert.deepEqual([...replayed.bytes.keys()].sort(), keys);
  for (const key of keys) assert.deepEqual(replayed.bytes.get(key), recorded.bytes.get(key), key);
  assert.equal(recorded.live.size, SYMBOLS.length * INTERVALS.length);
  assert.deepEqual(replayed.live, recorded.live);
});

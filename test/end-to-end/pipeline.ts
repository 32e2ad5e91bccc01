// The whole pipeline in this process against a fake exchange over real sockets, with what it publishes at hand.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { compose, type Pipeline } from '../../src/app/compose.ts';
import { readConfig } from '../../src/app/config.ts';
import { openStore } from '../../src/app/open-store.ts';
import { systemClock } from '../../src/app/system-clock.ts';
import type { Candle } from '../../src/core/market/candle.ts';
import { INTERVALS, type Interval } from '../../src/core/market/interval.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { type Clock, epochMs } from '../../src/core/market/time.ts';
import { binanceFeed } from '../../src/feed/binance/feed.ts';
import type { Log } from '../../src/log/log.ts';
import { OHLCV } from '../../src/protocol/topics.ts';
import type { CandleStore } from '../../src/store/candle-store.ts';
import { newestOf } from '../candles/candle-run.ts';
import type { FakeExchange } from '../fake-exchange/fake-exchange.ts';

const WAIT_MS_MAX = 30_000;

export interface TestPipeline extends AsyncDisposable {
  readonly pipeline: Pipeline;
  readonly store: CandleStore;
  /** Everything published on `ohlcv_…` so far, in order. */
  readonly published: readonly Candle[];
  /** Resolves when a closed candle of that window was published; rejects after 30 s. */
  untilClosed(interval: Interval, openTime: number): Promise<void>;
  /** The same for any candle published. */
  untilPublished(isIt: (candle: Candle) => boolean): Promise<void>;
  /** The highest revision of each candle published, ascending. */
  candles(interval: Interval): Candle[];
}

export async function temporaryDir(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'wickstream-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The machine's clock, `speed` times as fast: what waits for minutes waits for seconds. */
export function fastClock(speed: number): Clock {
  const startedAt = systemClock.now();
  return {
    now: () => epochMs(Math.floor(startedAt + (systemClock.now() - startedAt) * speed)),
    sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
  };
}

/** Disposing it ends all stages and closes the store. */
export async function startPipeline(options: {
  readonly exchange: FakeExchange;
  readonly dataDir: string;
  readonly symbols: readonly string[];
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** By their names without dashes. */
  readonly flags?: Readonly<Record<string, string>>;
}): Promise<TestPipeline> {
  const { exchange, dataDir } = options;
  const symbols = options.symbols.map(marketSymbol);
  const config = readConfig({
    flags: { port: '0', 'data-dir': dataDir, ...options.flags },
    env: {},
    isTerminal: false,
  });
  const logger = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
  const { clock = systemClock } = options;
  const feed = binanceFeed({
    restUrls: [exchange.restUrl],
    webSocketUrls: [exchange.wsUrl],
    clock,
    random: () => 0.5,
    logger,
  });
  const store = await openStore(config, feed.source, logger);
  const published: Candle[] = [];
  const waiting = new Set<() => void>();
  const ending = new AbortController();
  let reading = Promise.resolve();
  const pipeline = await compose({
    config,
    symbols,
    intervals: INTERVALS,
    feed,
    store,
    clock,
    logger,
    version: 'test',
    onLog: (log) => {
      reading = follow(log, ending.signal, (candles) => {
        published.push(...candles);
        for (const look of [...waiting]) look();
      });
    },
  });
  const untilPublished = (isIt: (candle: Candle) => boolean, what: string): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (published.some(isIt)) resolve();
    };
    const deadline = setTimeout(() => {
      const newest = published.at(-1);
      const at = `${newest?.interval} ${new Date(newest?.openTime ?? 0).toISOString()}`;
      reject(new Error(`No ${what}; newest ${at}`));
    }, WAIT_MS_MAX);
    waiting.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(deadline);
      waiting.delete(look);
    });
  };
  return {
    pipeline,
    store,
    published,
    candles: (interval) => newestOf(published, interval),
    untilClosed: (interval, openTime) =>
      untilPublished(
        (candle) => candle.interval === interval && candle.openTime === openTime,
        `${interval} candle at ${new Date(openTime).toISOString()}`,
      ),
    untilPublished: (isIt) => untilPublished(isIt, 'such candle'),
    [Symbol.asyncDispose]: async () => {
      if (ending.signal.aborted) return;
      ending.abort();
      await reading;
      await pipeline[Symbol.asyncDispose]();
      await feed[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** Reads every closed candle until `signal` aborts. */
async function follow(
  log: Log,
  signal: AbortSignal,
  onCandles: (candles: readonly Candle[]) => void,
): Promise<void> {
  const topics = INTERVALS.map((interval) => OHLCV[interval]);
  await using consumer = log.consumer({ group: 'test', topics });
  while (!signal.aborted) {
    const records = await consumer.poll({ timeoutMs: 1_000, signal });
    await consumer.commit([]);
    if (records.length > 0) onCandles(records.map(({ value }) => value));
  }
}

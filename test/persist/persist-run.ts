// The stage persist on a memory log and a store that fails on order: for its tests.
import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { AggTrade } from '../../src/core/market/agg-trade.ts';
import type { Candle } from '../../src/core/market/candle.ts';
import { INTERVALS, type Interval } from '../../src/core/market/interval.ts';
import { type RawTick, timeOfTick } from '../../src/core/market/raw-tick.ts';
import { type Clock, type DurationMs, type EpochMs, epochMs } from '../../src/core/market/time.ts';
import type { AnyLogRecord, Log } from '../../src/log/log.ts';
import { memoryLog } from '../../src/log/memory/memory-log.ts';
import { OHLCV, RAW_TICKS } from '../../src/protocol/topics.ts';
import { plainTrades } from '../../src/server/testing/plain-trades.ts';
import { type PersistState, persist } from '../../src/stages/persist.ts';
import { type CandleStore, StoreError } from '../../src/store/candle-store.ts';
import { BTCUSDT } from '../contracts/candle-store-contract.ts';
import { tradeAt } from '../contracts/trade-store-contract.ts';

export interface RunOptions {
  readonly log?: Log;
  /** How many writes fail at first. */
  readonly failures?: number;
  /** Writes fail until this is true, too. */
  readonly failsUntil?: () => boolean;
  readonly refuses?: (candle: Candle) => boolean;
  readonly refusesTrade?: (trade: AggTrade) => boolean;
  readonly keepTradesMs?: DurationMs;
}

const running = new Set<AbortController>();

/** A test that failed before its end leaves no stage behind. */
afterEach(() => {
  for (const stop of running) stop.abort();
  running.clear();
});

/** The stage on a memory log, a store that fails on order, and a clock whose sleeps take no time. */
export function start(options: RunOptions = {}) {
  const log = options.log ?? memoryLog();
  const stop = new AbortController();
  running.add(stop);
  const batches: (readonly Candle[])[] = [];
  const writes: { readonly candles: number; readonly trades: readonly number[] }[] = [];
  const pruned: { interval: Interval; before: EpochMs }[] = [];
  const sleeps: number[] = [];
  const states: PersistState[] = [];
  const lines: string[] = [];
  let failures = options.failures ?? 0;

  const trades = plainTrades();
  const store: CandleStore = {
    trades,
    async write(candles, written = []) {
      if (failures > 0 || options.failsUntil?.() === false) {
        failures -= 1;
        throw new StoreError('unwritable', 'disk full');
      }
      if (candles.some((candle) => options.refuses?.(candle))) {
        throw new StoreError('out-of-range', 'too wide');
      }
      if (written.some((trade) => options.refusesTrade?.(trade))) {
        throw new StoreError('out-of-range', 'too wide');
      }
      trades.write(written);
      writes.push({ candles: candles.length, trades: written.map(({ aggTradeId }) => aggTradeId) });
      if (candles.length > 0) batches.push(candles);
    },
    async prune(interval, before) {
      pruned.push({ interval, before });
      return 0;
    },
    read: async () => [],
    bytes: async () => 0,
    holes: async () => [],
    lastOpenTime: async () => undefined,
    symbols: async () => [],
    writeAudits: async () => undefined,
    readAudits: async () => [],
    countAudits: async () => ({ verified: 0, repaired: 0, differs: 0, unverified: 0 }),
    writeSymbolWish: async () => undefined,
    symbolWishes: async () => [],
    async [Symbol.asyncDispose]() {},
  };
  const clock: Clock & { time: number } = {
    time: 0,
    now: () => epochMs(clock.time),
    async sleep(ms: number) {
      sleeps.push(ms);
      await setImmediate();
    },
  };
  const line =
    (level: string) =>
    (first: unknown, text?: string): void => {
      lines.push(`${level} ${text ?? first}`);
    };

  const done = persist({
    log,
    store,
    intervals: INTERVALS,
    clock,
    ...(options.keepTradesMs === undefined ? {} : { keepTradesMs: options.keepTradesMs }),
    logger: {
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      debug: line('debug'),
    },
    onState: (state) => states.push(state),
    signal: stop.signal,
  });

  const run = {
    log,
    clock,
    batches,
    writes,
    pruned,
    /** Ids of the trades kept, those without a trade included. */
    async tradeIds(): Promise<readonly number[]> {
      const query = { symbol: BTCUSDT, limit: Number.MAX_SAFE_INTEGER, take: 'first' } as const;
      return (await trades.read(query)).map(({ aggTradeId }) => aggTradeId);
    },
    async ticks(...ticks: readonly RawTick[]): Promise<void> {
      await log.append(ticks.map(tickRecord));
    },
    sleeps,
    states,
    lines,
    appended: 0,
    get stored(): readonly Candle[] {
      return batches.flat();
    },
    async append(candles: readonly Candle[]): Promise<void> {
      run.appended += candles.length;
      await log.append(candles.map(recordOf));
    },
    /** Lets the stage work until `isSo`; its own checks keep it bounded. */
    async until(isSo: () => boolean): Promise<void> {
      for (let turn = 0; turn < 10_000 && !isSo(); turn++) await setImmediate();
      assert.ok(isSo(), `${isSo}`);
    },
    async end(): Promise<void> {
      stop.abort();
      await done;
    },
  };
  return run;
}

function tickRecord(tick: RawTick): AnyLogRecord {
  return { topic: RAW_TICKS, key: BTCUSDT, value: tick, timestamp: timeOfTick(tick) };
}

export const tick = (id: number): RawTick => ({ type: 'aggTrade', trade: tradeAt(id) });

function recordOf(candle: Candle): AnyLogRecord {
  return {
    topic: OHLCV[candle.interval],
    key: BTCUSDT,
    value: candle,
    timestamp: candle.openTime,
  };
}

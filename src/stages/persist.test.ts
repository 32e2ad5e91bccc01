import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { BTCUSDT, candleAt, DAY_START } from '../../test/contracts/candle-store-contract.ts';
import type { Candle } from '../core/market/candle.ts';
import { INTERVALS, type Interval } from '../core/market/interval.ts';
import { type Clock, DAY_MS, type EpochMs, epochMs, MINUTE_MS } from '../core/market/time.ts';
import type { AnyLogRecord, Log } from '../log/log.ts';
import { memoryLog } from '../log/memory/memory-log.ts';
import { OHLCV } from '../protocol/topics.ts';
import { type CandleStore, StoreError } from '../store/candle-store.ts';
import { type PersistState, persist, WRITE_CANDLES_MAX } from './persist.ts';
import { RETRY_MS_MAX } from './write-candles.ts';

describe('persist', () => {
  it('stores the candles of every interval and commits them', async () => {
    const run = start();
    const candles = INTERVALS.map((interval) => candleAt(0, { interval }));
    await run.append(candles);
    await run.until(() => run.stored.length === candles.length);
    assert.deepEqual(run.stored, candles);
    await run.end();

    const again = start({ log: run.log });
    await again.append([candleAt(1)]);
    await again.until(() => again.stored.length > 0);
    assert.deepEqual(again.stored, [candleAt(1)], 'what was committed does not come again');
    await again.end();
  });

  it('tries a failing store again, ever later, tells so, and loses nothing', async () => {
    const failures = 10;
    const run = start({ failures });
    await run.append([candleAt(0), candleAt(1)]);
    await run.until(() => run.stored.length > 0);
    assert.deepEqual(run.stored, [candleAt(0), candleAt(1)]);
    assert.deepEqual(run.sleeps, [
      100,
      200,
      400,
      800,
      1_600,
      3_200,
      6_400,
      RETRY_MS_MAX,
      RETRY_MS_MAX,
      RETRY_MS_MAX,
    ]);
    assert.deepEqual(run.states, [
      { state: 'failing', reason: 'disk full', lostCandles: 0 },
      { state: 'writing', lostCandles: 0 },
    ]);
    assert.equal(run.lines.filter((line) => line.startsWith('warn')).length, failures);
    await run.end();
  });

  it('gives up nothing when it is ended while the store fails', async () => {
    const run = start({ failures: Number.POSITIVE_INFINITY });
    await run.append([candleAt(0)]);
    await run.until(() => run.states.length > 0);
    await run.end();

    const again = start({ log: run.log });
    await again.until(() => again.stored.length > 0);
    assert.deepEqual(again.stored, [candleAt(0)]);
    await again.end();
  });

  it('leaves out only the candle that the store cannot hold, and says which', async () => {
    const run = start({ refuses: ({ openTime }) => openTime === candleAt(3).openTime });
    const candles = [0, 1, 2, 3, 4, 5].map((index) => candleAt(index));
    await run.append(candles);
    await run.until(() => run.stored.length === 5);
    assert.deepEqual(run.stored, candles.toSpliced(3, 1));
    assert.deepEqual(run.states, [{ state: 'writing', lostCandles: 1 }]);
    assert.ok(run.lines.some((line) => line.startsWith('error') && line.includes('too wide')));
    await run.end();
  });

  it('tells how many candles were dropped while the store failed', async () => {
    const log = memoryLog({
      retention: () => ({ atBound: 'drop-oldest', recordsMaxPerKey: 2 }),
    });
    const run = start({ log, failures: 1, failsUntil: () => run.appended === 6 });
    await run.append([candleAt(0)]);
    await run.until(() => run.states.length === 1);
    for (let index = 1; index <= 5; index++) await run.append([candleAt(index)]);
    await run.until(() => run.stored.length === 3);
    assert.deepEqual(
      run.stored,
      [0, 4, 5].map((index) => candleAt(index)),
      'the one it held, and the newest two',
    );
    assert.equal(run.states.at(-1)?.lostCandles, 3);
    await run.end();
  });

  it('removes 1s candles by the newest candle, at most once a minute', async () => {
    const run = start();
    const second = (time: number): Candle =>
      candleAt(0, { interval: '1s', openTime: epochMs(time) });
    const next = DAY_START + DAY_MS;
    await run.append([second(DAY_START), second(next + 5_000)]);
    await run.until(() => run.pruned.length === 1);
    assert.deepEqual(run.pruned, [{ interval: '1s', before: DAY_START + 5_999 }]);

    await run.append([second(next + 6_000)]);
    await run.until(() => run.stored.length === 3);
    run.clock.time += MINUTE_MS;
    await run.append([second(next + 65_000)]);
    await run.until(() => run.pruned.length === 2);
    assert.equal(run.pruned[1]?.before, DAY_START + 65_999);
    await run.end();
  });

  it('writes what the log still has when it is ended', async () => {
    const run = start();
    await run.append([candleAt(0)]);
    await run.until(() => run.stored.length === 1);
    const appended = run.append([candleAt(1), candleAt(2)]);
    await run.end();
    await appended;
    assert.deepEqual(
      run.stored,
      [0, 1, 2].map((index) => candleAt(index)),
    );
  });

  it('writes a backlog in parts that never cut a minute from the longer candles after it', async () => {
    const run = start();
    const minutes = Array.from({ length: WRITE_CANDLES_MAX }, (_, index) => [
      candleAt(index),
      candleAt(index, { interval: '5m' }),
      candleAt(index, { interval: '15m' }),
    ]).flat();
    await run.append(minutes);
    await run.until(() => run.stored.length === minutes.length);
    assert.deepEqual(run.stored, minutes);
    assert.ok(run.batches.length > 1);
    for (const batch of run.batches) {
      assert.equal(batch[0]?.interval, '1m');
      assert.ok(batch.length < WRITE_CANDLES_MAX + 3);
    }
    await run.end();
  });
});

interface RunOptions {
  readonly log?: Log;
  /** How many writes fail at first. */
  readonly failures?: number;
  /** Writes fail until this is true, too. */
  readonly failsUntil?: () => boolean;
  readonly refuses?: (candle: Candle) => boolean;
}

/** The stage on a memory log, a store that fails on order, and a clock whose sleeps take no time. */
function start(options: RunOptions = {}) {
  const log = options.log ?? memoryLog();
  const stop = new AbortController();
  const batches: (readonly Candle[])[] = [];
  const pruned: { interval: Interval; before: EpochMs }[] = [];
  const sleeps: number[] = [];
  const states: PersistState[] = [];
  const lines: string[] = [];
  let failures = options.failures ?? 0;

  const store: CandleStore = {
    async write(candles) {
      if (failures > 0 || options.failsUntil?.() === false) {
        failures -= 1;
        throw new StoreError('unwritable', 'disk full');
      }
      if (candles.some((candle) => options.refuses?.(candle))) {
        throw new StoreError('out-of-range', 'too wide');
      }
      batches.push(candles);
    },
    async prune(interval, before) {
      pruned.push({ interval, before });
      return 0;
    },
    read: async () => [],
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
    pruned,
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

function recordOf(candle: Candle): AnyLogRecord {
  return {
    topic: OHLCV[candle.interval],
    key: BTCUSDT,
    value: candle,
    timestamp: candle.openTime,
  };
}

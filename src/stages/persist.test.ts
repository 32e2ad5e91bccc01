import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { candleAt, DAY_START } from '../../test/contracts/candle-store-contract.ts';
import { start } from '../../test/persist/persist-run.ts';
import type { Candle } from '../core/market/candle.ts';
import { INTERVALS } from '../core/market/interval.ts';
import { DAY_MS, epochMs, MINUTE_MS } from '../core/market/time.ts';
import { memoryLog } from '../log/memory/memory-log.ts';
import { WRITE_CANDLES_MAX } from './persist.ts';
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
      { state: 'failing', reason: 'disk full', lostCandles: 0, lostTrades: 0 },
      { state: 'writing', lostCandles: 0, lostTrades: 0 },
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
    assert.deepEqual(run.states, [{ state: 'writing', lostCandles: 1, lostTrades: 0 }]);
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

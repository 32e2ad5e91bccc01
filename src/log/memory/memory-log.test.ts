import '../../../test/property-seed.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { logContract } from '../../../test/contracts/log-contract.ts';
import { epochMs } from '../../core/market/time.ts';
import { FEED_STATUS, OHLCV, RAW_TICKS, type Topic } from '../../protocol/topics.ts';
import type { Log, LogConsumer, LogRecord } from '../log.ts';
import { memoryLog, TURN_RECORDS_MAX } from './memory-log.ts';
import {
  CANDLES_1S_KEPT_MAX,
  CANDLES_KEPT_MAX,
  RAW_TICKS_KEPT_MAX,
  RAW_TICKS_UNHELD_MAX,
  type Retention,
  retentionOf,
} from './retention.ts';

logContract('memoryLog', async () => memoryLog());

const { signal } = new AbortController();

function topic(name: string, cleanup: 'delete' | 'compact' = 'delete'): Topic<unknown> {
  return { name, cleanup, encode: String, decode: String };
}

function record(of: Topic<unknown>, value: unknown, key = 'BTCUSDT'): LogRecord<unknown> {
  return { topic: of, key, value, timestamp: epochMs(0) };
}

async function values(consumer: LogConsumer<unknown>): Promise<readonly unknown[]> {
  return (await consumer.poll({ timeoutMs: 0, signal })).map(({ value }) => value);
}

const TRADES = topic('trades');
const CANDLES = topic('candles');
const LIVE = topic('live', 'compact');

function waitsAt(recordsMax: number): (name: string) => Retention {
  return (name) =>
    name === TRADES.name
      ? { atBound: 'wait', recordsMax, unheldRecordsMax: 2 * recordsMax }
      : { atBound: 'drop-oldest', recordsMaxPerKey: 3 };
}

/** Whether a promise is settled once all that is ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  await new Promise(setImmediate);
  return settled;
}

describe('memoryLog: order and identity', () => {
  it('passes values by reference', async () => {
    await using log = memoryLog();
    const consumer = log.consumer({ group: 'g', topics: [TRADES] });
    const value = { price: 1n };
    await log.append([record(TRADES, value)]);
    assert.equal((await values(consumer))[0], value);
  });

  it('merges topics in the order of the appends, compacted ones by last change', async () => {
    await using log = memoryLog();
    const consumer = log.consumer({ group: 'g', topics: [LIVE, CANDLES, TRADES] });
    await log.append([record(TRADES, 1), record(LIVE, 'old'), record(CANDLES, 2)]);
    await log.append([record(LIVE, 3), record(TRADES, 4), record(CANDLES, 5)]);
    assert.deepEqual(await values(consumer), [1, 2, 3, 4, 5]);
  });

  it('shows one append to a waiting reader as a whole', async () => {
    await using log = memoryLog();
    const consumer = log.consumer({ group: 'g', topics: [TRADES, CANDLES] });
    const polled = consumer.poll({ timeoutMs: 60_000, signal });
    await Promise.resolve();
    await log.append([record(CANDLES, 1), record(TRADES, 2), record(CANDLES, 3)]);
    assert.equal((await polled).length, 3);
  });

  it('keeps nothing of a topic without readers', async () => {
    await using log = memoryLog({ retention: waitsAt(1) });
    await log.append([record(TRADES, 1), record(TRADES, 2)]);
    await log.append([record(TRADES, 3)]);
    assert.deepEqual(await values(log.consumer({ group: 'g', topics: [TRADES] })), []);
  });

  it('refuses a second reader of a group and topic, and takes one after its close', async () => {
    await using log = memoryLog();
    const first = log.consumer({ group: 'g', topics: [TRADES] });
    assert.throws(() => log.consumer({ group: 'g', topics: [TRADES] }), /second/);
    await first[Symbol.asyncDispose]();
    log.consumer({ group: 'g', topics: [TRADES] });
  });

  it('reads over many chunks, forgetting and adding between', async () => {
    await using log = memoryLog();
    const consumer = log.consumer({ group: 'g', topics: [RAW_TICKS] });
    let sent = 0;
    let read = 0;
    for (const size of [1, 1_023, 1_024, 1_025, 3_000, 7, 9_000]) {
      await log.append(Array.from({ length: size }, () => record(RAW_TICKS, sent++)));
      for (const value of await values(consumer)) assert.equal(value, read++);
      if (size !== 1_025) await consumer.commit([]);
    }
    assert.equal(read, sent);
  });
});

describe('memoryLog: any order of appends, polls, commits and crashes', () => {
  const step = fc.oneof(
    fc.record({ act: fc.constant('append' as const), count: fc.integer({ min: 1, max: 700 }) }),
    fc.record({
      act: fc.constantFrom('poll' as const, 'commit' as const, 'crash' as const),
      group: fc.constantFrom(0, 1),
    }),
  );

  /** A group's reader that checks what it gets against what was sent: the numbers from 0 on. */
  function checkedReader(log: Log, group: string) {
    let consumer = log.consumer({ group, topics: [RAW_TICKS] });
    let read = 0;
    let committed = 0;
    return {
      async poll(sent: number): Promise<void> {
        for (const value of await values(consumer)) assert.equal(value, read++);
        assert.equal(read, sent);
      },
      async commit(): Promise<void> {
        await consumer.commit([]);
        committed = read;
      },
      async crash(): Promise<void> {
        await consumer[Symbol.asyncDispose]();
        consumer = log.consumer({ group, topics: [RAW_TICKS] });
        read = committed;
      },
    };
  }

  it('gives each group every record once in order, from its last commit after a crash', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        await using log = memoryLog();
        const readers = [checkedReader(log, 'a'), checkedReader(log, 'b')];
        let sent = 0;
        for (const one of steps) {
          if (one.act === 'append') {
            await log.append(Array.from({ length: one.count }, () => record(RAW_TICKS, sent++)));
          } else await readers[one.group]?.[one.act](sent);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('memoryLog: a topic that waits at its bound', () => {
  it('lets append wait until every group has committed', async () => {
    await using log = memoryLog({ retention: waitsAt(2) });
    const fast = log.consumer({ group: 'fast', topics: [TRADES] });
    const slow = log.consumer({ group: 'slow', topics: [TRADES] });
    await log.append([record(TRADES, 1), record(TRADES, 2)]);
    const third = log.append([record(TRADES, 3)]);
    assert.deepEqual(await values(fast), [1, 2]);
    await fast.commit([]);
    assert.equal(await isSettled(third), false);
    assert.deepEqual(await values(slow), [1, 2]);
    assert.equal(await isSettled(third), false, 'polled is not committed');
    await slow.commit([]);
    await third;
    assert.deepEqual(await values(slow), [3]);
    assert.deepEqual(await values(fast), [3]);
  });

  it('keeps the order of appends that wait, and lets other topics go on', async () => {
    await using log = memoryLog({ retention: waitsAt(2) });
    const consumer = log.consumer({ group: 'g', topics: [TRADES, CANDLES] });
    await log.append([record(TRADES, 1)]);
    const large = log.append([record(TRADES, 2), record(TRADES, 3)]);
    const small = log.append([record(TRADES, 4)]);
    await log.append([record(CANDLES, 'goes on')]);
    assert.deepEqual(await values(consumer), [1, 'goes on']);
    await consumer.commit([]);
    await large;
    assert.equal(await isSettled(small), false, 'the bound holds for it too');
    assert.deepEqual(await values(consumer), [2, 3]);
    await consumer.commit([]);
    await small;
    assert.deepEqual(await values(consumer), [4]);
  });

  it('takes a batch larger than the bound when all is read', async () => {
    await using log = memoryLog({ retention: waitsAt(2) });
    const consumer = log.consumer({ group: 'g', topics: [TRADES] });
    await log.append([record(TRADES, 1), record(TRADES, 2), record(TRADES, 3)]);
    assert.deepEqual(await values(consumer), [1, 2, 3]);
  });

  it('gives up a waiting append at abort, and those behind it go on', async () => {
    await using log = memoryLog({ retention: waitsAt(2) });
    const consumer = log.consumer({ group: 'g', topics: [TRADES] });
    await log.append([record(TRADES, 1)]);
    const abort = new AbortController();
    const given = log.append([record(TRADES, 2), record(TRADES, 3)], { signal: abort.signal });
    const behind = log.append([record(TRADES, 4)]);
    abort.abort(new Error('enough'));
    await assert.rejects(given, /enough/);
    await behind;
    assert.deepEqual(await values(consumer), [1, 4]);
  });

  it('never waits for a reader that holds up no writer: its oldest go, and are counted', async () => {
    await using log = memoryLog({ retention: waitsAt(2) });
    const held = log.consumer({ group: 'held', topics: [TRADES] });
    const unheld = log.consumer({ group: 'unheld', topics: [CANDLES, TRADES], writers: 'unheld' });
    for (let i = 1; i <= 7; i++) {
      await log.append([record(TRADES, i), record(CANDLES, -i)]);
      assert.deepEqual(await values(held), [i]);
      await held.commit([]);
    }
    assert.deepEqual(await values(unheld), [4, 5, -5, 6, -6, 7, -7]);
    assert.deepEqual([unheld.droppedOf(TRADES), unheld.droppedOf(CANDLES)], [3, 4]);
    await log.append([record(TRADES, 8), record(TRADES, 9)]);
    const waiting = log.append([record(TRADES, 10)]);
    await unheld.commit([]);
    assert.equal(await isSettled(waiting), false, 'the other reader is still waited for');
    assert.deepEqual(await values(held), [8, 9]);
    await held.commit([]);
    await waiting;
    assert.deepEqual(await values(unheld), [8, 9, 10]);
  });

  it('rejects waiting appends when the log closes', async () => {
    const log = memoryLog({ retention: waitsAt(1) });
    log.consumer({ group: 'g', topics: [TRADES] });
    await log.append([record(TRADES, 1)]);
    const waiting = log.append([record(TRADES, 2)]);
    await log[Symbol.asyncDispose]();
    await assert.rejects(waiting, /closed/);
  });
});

describe('memoryLog: a topic that drops at its bound', () => {
  it('drops the oldest for a lagging group, counts them, and harms no other', async () => {
    await using log = memoryLog({ retention: waitsAt(1) });
    const lagging = log.consumer({ group: 'lagging', topics: [CANDLES] });
    const current = log.consumer({ group: 'current', topics: [CANDLES] });
    for (let i = 1; i <= 5; i++) {
      await log.append([record(CANDLES, i)]);
      assert.deepEqual(await values(current), [i]);
      await current.commit([]);
    }
    assert.equal(lagging.dropped, 2);
    assert.deepEqual(await values(lagging), [3, 4, 5]);
    assert.equal(current.dropped, 0);
  });

  it('bounds by key, so that more symbols keep more', async () => {
    await using log = memoryLog({ retention: waitsAt(1) });
    const consumer = log.consumer({ group: 'g', topics: [CANDLES] });
    for (let i = 1; i <= 4; i++) {
      await log.append([record(CANDLES, i, 'BTCUSDT'), record(CANDLES, i, 'ETHUSDT')]);
    }
    assert.deepEqual(await values(consumer), [2, 2, 3, 3, 4, 4]);
    assert.equal(consumer.dropped, 2);
  });

  it('never cuts a batch', async () => {
    await using log = memoryLog({ retention: waitsAt(1) });
    const consumer = log.consumer({ group: 'g', topics: [CANDLES] });
    await log.append([0, 1, 2, 3, 4, 5].map((value) => record(CANDLES, value)));
    assert.deepEqual(await values(consumer), [0, 1, 2, 3, 4, 5]);
    assert.equal(consumer.dropped, 0);
  });

  it('counts what went while the group had no reader', async () => {
    await using log = memoryLog({ retention: waitsAt(1) });
    await log.consumer({ group: 'g', topics: [CANDLES] })[Symbol.asyncDispose]();
    for (let i = 1; i <= 5; i++) await log.append([record(CANDLES, i)]);
    const consumer = log.consumer({ group: 'g', topics: [CANDLES] });
    assert.deepEqual(await values(consumer), [3, 4, 5]);
    assert.equal(consumer.dropped, 2);
  });
});

describe('memoryLog: fairness and conflation', () => {
  it('has no backlog of a compacted topic for a slow reader (I11)', async () => {
    await using log = memoryLog();
    const consumer = log.consumer({ group: 'slow', topics: [LIVE] });
    for (let i = 0; i < 1_000; i++) {
      await log.append([record(LIVE, i, 'BTCUSDT:1m'), record(LIVE, i, 'ETHUSDT:1m')]);
    }
    assert.deepEqual(await values(consumer), [999, 999]);
    assert.deepEqual(await values(consumer), []);
    await log.append([record(LIVE, 'new', 'BTCUSDT:1m')]);
    assert.deepEqual(await values(consumer), ['new']);
  });

  it('lets the event loop turn while readers always find work', async () => {
    await using log = memoryLog();
    const consumer = log.consumer({ group: 'g', topics: [RAW_TICKS] });
    const batch = Array.from({ length: TURN_RECORDS_MAX }, (_, i) => record(RAW_TICKS, i));
    let turns = 0;
    let isReading = true;
    setImmediate(function count() {
      turns += 1;
      if (isReading) setImmediate(count);
    });
    for (let i = 0; i < 5; i++) {
      await log.append(batch);
      assert.equal((await values(consumer)).length, batch.length);
      await consumer.commit([]);
    }
    isReading = false;
    assert.ok(turns >= 4, `${turns} turns in 5 full polls`);
  });

  it('bounds the product topics as the design says', () => {
    assert.deepEqual(retentionOf(RAW_TICKS.name), {
      atBound: 'wait',
      recordsMax: RAW_TICKS_KEPT_MAX,
      unheldRecordsMax: RAW_TICKS_UNHELD_MAX,
    });
    assert.deepEqual(retentionOf(OHLCV['1s'].name), {
      atBound: 'drop-oldest',
      recordsMaxPerKey: CANDLES_1S_KEPT_MAX,
    });
    assert.deepEqual(retentionOf(OHLCV['1m'].name), {
      atBound: 'drop-oldest',
      recordsMaxPerKey: CANDLES_KEPT_MAX,
    });
    assert.equal(FEED_STATUS.cleanup, 'compact');
  });
});

// The stage around the decision: verdicts stored before the position moves, requests in the log, what is open taken up again (I6).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { BTCUSDT, candleAt } from '../../test/contracts/candle-store-contract.ts';
import { manualClock } from '../../test/contracts/manual-clock.ts';
import type { Audit } from '../core/audit/audit.ts';
import { FRAME_WAIT_MS } from '../core/audit/audit-limits.ts';
import type { Candle } from '../core/market/candle.ts';
import type { Evidence, RepairRequest } from '../core/market/evidence.ts';
import { addMs, type EpochMs, HOUR_MS, MINUTE_MS } from '../core/market/time.ts';
import type { AnyLogRecord, Log } from '../log/log.ts';
import { memoryLog } from '../log/memory/memory-log.ts';
import { AUDITS, EVIDENCE, OHLCV, REPAIRS } from '../protocol/topics.ts';
import { plainStore } from '../server/testing/plain-store.ts';
import type { CandleStore } from '../store/candle-store.ts';
import { FIRST_SEARCH_HOURS } from './audit/open-minutes.ts';
import { audit, auditCounts, SEARCH_INTERVAL_MS } from './audit.ts';

const ours = (value: Candle): AnyLogRecord => ({
  topic: OHLCV['1m'],
  key: value.symbol,
  value,
  timestamp: value.openTime,
});
const frame = (candle: Candle): AnyLogRecord => {
  const value: Evidence = {
    type: 'kline',
    via: 'stream',
    candle: { ...candle, revision: 0, source: 'klines', complete: true },
  };
  return { topic: EVIDENCE, key: candle.symbol, value, timestamp: candle.openTime };
};

function start(options: { readonly log?: Log; readonly store?: CandleStore } = {}) {
  const { store = plainStore() } = options;
  const clock = manualClock(candleAt(3_000).openTime);
  const log = options.log ?? memoryLog({ clock });
  const stop = new AbortController();
  const counts = auditCounts();
  const lines: string[] = [];
  const line = (level: string) => (text: unknown) => void lines.push(`${level} ${text}`);
  const logger = {
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    debug: line('debug'),
  };
  const done = audit({ log, store, clock, logger, counts, signal: stop.signal });
  const audits: Audit[] = [];
  const requests: RepairRequest[] = [];
  const read = (async () => {
    await using consumer = log.consumer<Audit | RepairRequest>({
      group: 'test',
      topics: [AUDITS, REPAIRS],
    });
    while (!stop.signal.aborted) {
      for (const { topic, value } of await consumer.poll({
        timeoutMs: 1e9,
        signal: stop.signal,
      })) {
        if (topic.name === AUDITS.name) audits.push(value as Audit);
        else requests.push(value as RepairRequest);
      }
      await consumer.commit([]);
    }
  })();
  return {
    log,
    store,
    clock,
    counts,
    lines,
    audits,
    requests,
    append: (...records: AnyLogRecord[]) => log.append(records),
    async until(isSo: () => boolean): Promise<void> {
      for (let turn = 0; turn < 2_000 && !isSo(); turn++) await setImmediate();
      assert.ok(isSo(), `${isSo}`);
    },
    async end(): Promise<void> {
      stop.abort();
      await Promise.all([done, read]);
    },
  };
}

const stored = (store: CandleStore) =>
  store.readAudits({ symbol: BTCUSDT, limit: 10_000, take: 'first' });

test('a verdict goes to the store, to the log and into the counts', async () => {
  const run = start();
  await run.append(ours(candleAt(0)), frame(candleAt(0)));
  await run.until(() => run.audits.length === 1);
  assert.deepEqual(
    run.audits.map(({ openTime, verdict }) => [openTime, verdict]),
    [[candleAt(0).openTime, 'verified']],
  );
  assert.deepEqual(await stored(run.store), run.audits);
  assert.deepEqual([run.counts.verified, run.counts.waiting, run.counts.openRepairs], [1, 0, 0]);
  await run.end();
});

test('an incomplete minute is asked for in `repairs`, and counts as an open repair', async () => {
  const run = start();
  await run.append(ours(candleAt(0, { complete: false })));
  await run.until(() => run.requests.length === 1);
  assert.deepEqual(run.requests, [
    { type: 'trades', symbol: BTCUSDT, openTime: candleAt(0).openTime },
  ]);
  assert.deepEqual([run.counts.waiting, run.counts.openRepairs], [1, 1]);
  await run.end();
});

test('a store that takes no verdicts is tried again, and nothing is committed before it has them', async () => {
  let failures = 3;
  const store = plainStore();
  const writeAudits = store.writeAudits.bind(store);
  store.writeAudits = async (audits) => {
    if (failures-- > 0) throw new Error('disk full');
    await writeAudits(audits);
  };
  const run = start({ store });
  await run.append(ours(candleAt(0)), frame(candleAt(0)));
  await run.until(() => run.lines.some((line) => line.includes('disk full')));
  assert.deepEqual([run.audits.length, run.counts.failing], [0, 1]);
  await run.clock.advance(1_000);
  await run.until(() => run.audits.length === 1);
  assert.equal((await stored(store)).length, 1);
  assert.equal(run.counts.failing, 0);
  await run.end();
});

test('I6: killed before the verdict was stored, the same records give it after the restart, once', async () => {
  const store = plainStore();
  const writeAudits = store.writeAudits.bind(store);
  store.writeAudits = () => Promise.reject(new Error('killed'));
  const first = start({ store });
  await first.append(ours(candleAt(0)), frame(candleAt(0)));
  await first.until(() => first.counts.failing === 1);
  await first.end();
  store.writeAudits = writeAudits;
  const second = start({ store, log: first.log });
  await second.until(() => second.audits.length === 1);
  assert.equal((await stored(store)).length, 1);
  await second.end();
});

test('I6: minutes of the store without a verdict, and those that lack trades, are taken up again', async () => {
  const store = plainStore();
  const count = FIRST_SEARCH_HOURS * 60 + 10;
  const candles = Array.from({ length: count }, (_, index) => candleAt(index));
  const isOwed = new Map<number, Partial<Candle>>([
    [5, {}],
    [20, {}],
    [500, {}],
    [501, { complete: false }],
    [900, { source: 'klines' }],
    [count - 1, {}],
  ]);
  await store.write(candles.map((candle, index) => ({ ...candle, ...isOwed.get(index) })));
  await store.writeAudits(
    candles.flatMap(({ symbol, openTime }, index): Audit[] => {
      if (isOwed.has(index) && index !== 501) return [];
      const verdict = index === 501 ? 'differs' : 'verified';
      return [{ symbol, openTime, verdict, revision: 0, rounding: false, at: openTime }];
    }),
  );
  const run = start({ store });
  await run.append(ours(candleAt(count)));
  await run.until(() => run.requests.length === 3);
  const minute = (index: number): EpochMs => candleAt(index).openTime;
  const asked = run.requests
    .map((request) => JSON.stringify(request))
    .toSorted((a, b) => a.localeCompare(b));
  assert.deepEqual(
    asked,
    [
      { type: 'klines', symbol: BTCUSDT, from: minute(20), to: minute(501) },
      { type: 'klines', symbol: BTCUSDT, from: minute(count - 1), to: minute(count) },
      { type: 'trades', symbol: BTCUSDT, openTime: minute(501) },
    ]
      .map((request) => JSON.stringify(request))
      .toSorted((a, b) => a.localeCompare(b)),
  );
  await run.end();
});

test('I6: a minute that was unverified, or corrected after its verdict, is owed another', async () => {
  const store = plainStore();
  const candles = [0, 1, 2, 3].map((index) => candleAt(index));
  const corrected = candleAt(2, { revision: 1, reason: 'late-trade' });
  await store.write([...candles, corrected]);
  const verdicts = ['verified', 'unverified', 'verified', 'differs'] as const;
  await store.writeAudits(
    candles.map(({ symbol, openTime }, index): Audit => {
      const verdict = verdicts[index] ?? 'verified';
      return { symbol, openTime, verdict, revision: 0, rounding: false, at: openTime };
    }),
  );
  const run = start({ store });
  await run.append(frame(candleAt(1)), frame(candleAt(2)), frame(candleAt(3)));
  await run.until(() => run.audits.length === 2);
  assert.deepEqual(
    run.audits.map(({ openTime, verdict, revision }) => [openTime, verdict, revision]),
    [
      [candleAt(1).openTime, 'verified', 0],
      [candleAt(2).openTime, 'verified', 1],
    ],
  );
  await run.end();
});

test('I6: what was lost on the way is found by a later search', async () => {
  const run = start();
  await run.append(ours(candleAt(61)), frame(candleAt(61)));
  await run.until(() => run.audits.length === 1);
  // Stored by another process, never seen in the log.
  await run.store.write([candleAt(60), candleAt(61)]);
  await run.clock.advance(SEARCH_INTERVAL_MS + MINUTE_MS);
  await run.until(() => run.requests.length > 0);
  const from = candleAt(60).openTime;
  assert.deepEqual(run.requests[0], {
    type: 'klines',
    symbol: BTCUSDT,
    from,
    to: addMs(from, MINUTE_MS),
  });
  await run.end();
});

test('a frame that never comes is asked for when its time is up, without anything else happening', async () => {
  const run = start();
  await run.append(ours(candleAt(0)));
  await run.until(() => run.counts.waiting === 1);
  await run.clock.advance(FRAME_WAIT_MS + 1_000);
  await run.until(() => run.requests.length === 1);
  assert.equal(run.requests[0]?.type, 'klines');
  await run.clock.advance(2 * HOUR_MS);
  assert.equal(run.counts.unverified, 1);
  await run.end();
});

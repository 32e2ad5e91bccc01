import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { BTCUSDT, candleAt } from '../../../test/contracts/candle-store-contract.ts';
import type { Candle } from '../../core/market/candle.ts';
import { type CandleStore, StoreError } from '../../store/candle-store.ts';
import { manualClock } from '../serve/testing/manual-clock.ts';
import { createHistoryWriter, HISTORY_CHUNK, HISTORY_QUEUE_MAX } from './history-writer.ts';

/** A writer over a store that does `write`; `lines` is what it says. */
function start(write: (candles: readonly Candle[]) => Promise<void>) {
  const stop = new AbortController();
  const clock = manualClock();
  const lines: string[] = [];
  const line = (first: unknown, text?: string): void => void lines.push(text ?? String(first));
  const writer = createHistoryWriter({
    store: { write } as unknown as CandleStore,
    clock,
    logger: { info: line, warn: line, error: line },
    signal: stop.signal,
  });
  return { writer, clock, lines, stop };
}

test('at the limit it waits until there is room, not until all is written', async () => {
  const taking: (() => void)[] = [];
  const { writer } = start(() => new Promise((resolve) => taking.push(resolve)));
  for (let count = 1; count < HISTORY_QUEUE_MAX; count++) await writer.add([candleAt(0)]);
  let isAdded = false;
  const adding = writer.add([candleAt(0)]).then(() => {
    isAdded = true;
  });
  await setImmediate();
  assert.equal(isAdded, false);
  taking.shift()?.();
  await adding;
  for (let count = 0; count < HISTORY_QUEUE_MAX; count++) {
    taking.shift()?.();
    await setImmediate();
    await setImmediate();
  }
  await writer.written();
});

test('others have their turn between two chunks of a store that is synchronous', async () => {
  let chunks = 0;
  const { writer } = start(async () => {
    chunks += 1;
  });
  const candles = Array.from({ length: HISTORY_CHUNK * 10 }, () => candleAt(0));
  await writer.add(candles);
  await setImmediate();
  assert.ok(chunks < 10, `${chunks} of 10 chunks written at the first turn of another`);
  await writer.written();
  assert.equal(chunks, 10);
});

test('leaves out only the candles that the store cannot hold, and says so once a chunk', async () => {
  const stored: Candle[] = [];
  const refused = [candleAt(3).openTime, candleAt(5).openTime];
  const { writer, lines } = start(async (candles) => {
    if (candles.some(({ openTime }) => refused.includes(openTime))) {
      throw new StoreError('out-of-range', 'too wide');
    }
    stored.push(...candles);
  });
  const candles = [0, 1, 2, 3, 4, 5, 6].map((index) => candleAt(index, { symbol: BTCUSDT }));
  await writer.add(candles);
  await writer.written();
  assert.deepEqual(
    stored,
    candles.filter(({ openTime }) => !refused.includes(openTime)),
  );
  assert.deepEqual(lines, ['2 candles of history not stored; the first: too wide']);
});

test('says when the store takes history again', async () => {
  let faults = 1;
  const { writer, clock, lines } = start(async () => {
    if (faults-- > 0) throw new Error('disk full');
  });
  await writer.add([candleAt(0)]);
  await clock.advance(100);
  await writer.written();
  assert.deepEqual(lines, [
    'The candle store failed to take history: disk full; trying again in 100 ms',
    'The candle store takes history again',
  ]);
});

test('an abort ends all waiting while the store fails', async () => {
  const { writer, stop } = start(() => Promise.reject(new Error('disk full')));
  for (let count = 1; count < HISTORY_QUEUE_MAX; count++) await writer.add([candleAt(0)]);
  const adding = writer.add([candleAt(0)]);
  await setImmediate();
  stop.abort();
  await adding;
  await writer.written();
  await writer.add([candleAt(0)]);
});

// The queue's bound: whatever waits for the reader counts, and reading makes room again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Candle } from '../../core/market/candle.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import type { EpochMs } from '../../core/market/time.ts';
import type { FeedEvent } from '../market-feed.ts';
import { createEventQueue, QUEUED_TICKS_MAX, REJECTED_TICKS } from './event-queue.ts';

const rejected: FeedEvent = { type: 'rejected', reason: 'no trade', payload: '{' };
const symbol = marketSymbol('BTCUSDT');

test('rejected frames count: so many of them pause the sockets, and reading lets them go on', async () => {
  const pressure: boolean[] = [];
  const queue = createEventQueue((isFull) => pressure.push(isFull));
  for (let count = 1; count < QUEUED_TICKS_MAX / REJECTED_TICKS; count += 1) queue.push(rejected);
  assert.deepEqual(pressure, []);
  queue.push(rejected);
  assert.deepEqual(pressure, [true]);
  queue.push(rejected);
  let hasRoom = false;
  const room = queue.room().then(() => {
    hasRoom = true;
  });
  await Promise.resolve();
  assert.equal(hasRoom, false);
  queue.end();
  await room;
  for await (const _ of queue.events());
  assert.deepEqual(pressure, [true, false]);
});

test('history counts by its candles, and its reader makes room before the end', async () => {
  const pressure: boolean[] = [];
  const queue = createEventQueue((isFull) => pressure.push(isFull));
  const candles: readonly Candle[] = Array.from({ length: 1_000 }, candleAt);
  for (let count = 0; count < QUEUED_TICKS_MAX / 1_000; count += 1) {
    queue.push({ type: 'history', candles });
  }
  assert.deepEqual(pressure, [true]);
  const events = queue.events();
  for (let read = 0; read * 1_000 <= QUEUED_TICKS_MAX / 2 + 1_000; read += 1) await events.next();
  assert.deepEqual(pressure, [true, false]);
  await queue.room();
});

test('what was read counts no more: ticks beside other events never add up', async () => {
  const pressure: boolean[] = [];
  const queue = createEventQueue((isFull) => pressure.push(isFull));
  const events = queue.events();
  const watermark = { symbol, time: 0 as EpochMs, aggTradeId: -1 };
  for (let round = 0; round < QUEUED_TICKS_MAX; round += 1_000) {
    for (let count = 0; count < 1_000; count += 1) queue.tick({ type: 'watermark', watermark });
    queue.push(rejected);
    await events.next();
    await events.next();
  }
  assert.deepEqual(pressure, []);
});

function candleAt(_: unknown, index: number): Candle {
  return {
    symbol,
    interval: '1m',
    openTime: (index * 60_000) as EpochMs,
    closeTime: (index * 60_000 + 59_999) as EpochMs,
    open: 0n,
    high: 0n,
    low: 0n,
    close: 0n,
    volume: 0n,
    quoteVolume: 0n,
    trades: 0,
    takerBuyVolume: 0n,
    takerBuyQuoteVolume: 0n,
    firstTradeId: -1,
    lastTradeId: -1,
    revision: 0,
    complete: true,
    source: 'klines',
  };
}

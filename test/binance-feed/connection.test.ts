// The connection's life as the user is told of it: stale, replaced, held back by a slow reader.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { STALE_AFTER_MS } from '../../src/core/market/feed-status.ts';
import { QUEUED_TICKS_MAX } from '../../src/feed/binance/event-queue.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { settableClock } from './settable-clock.ts';
import { assertContiguous, watchFeed } from './watched-feed.ts';

const NOW = Date.UTC(2026, 0, 14, 10);
const JOIN = NOW + 20_000;
const klines = generateHistory({ seed: 2, to: NOW, days: 3 });

test('silence is said after 4 s, and after longer the connection is replaced', async () => {
  const clock = settableClock(JOIN);
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines }],
  });
  await using feed = watchFeed(exchange, { clock });
  await feed.live();
  exchange.freeze();
  clock.set(JOIN + STALE_AFTER_MS - 1);
  // Two turns of the event loop: what the clock woke has had its say.
  await setImmediate();
  await setImmediate();
  assert.equal(feed.state(), 'live', 'not yet');
  clock.set(JOIN + STALE_AFTER_MS);
  await feed.until(() => feed.state() === 'stale', 'stale');
  exchange.unfreeze();
  clock.set(JOIN + 60_000);
  await feed.until(() => exchange.connections.records.length === 2, 'a second connection');
  await feed.live();
});

test('an announced shutdown leads to a new connection without loss', async () => {
  const trades = generateTrades({ seed: 3, from: NOW, to: NOW + 120_000, tradesPerSecond: 5 });
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
  });
  await using feed = watchFeed(exchange);
  await feed.live();
  exchange.announceShutdown();
  exchange.publish(
    'BTCUSDT',
    trades.filter(({ T }) => T >= JOIN),
  );
  const last = trades.at(-1)?.a ?? 0;
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === last, 'the last trade');
  assertContiguous(feed.trades(), 1, last);
  assert.equal(exchange.connections.records.length, 2);
});

test('a reader that stops holds the sockets back, and gets everything when it goes on', async () => {
  const trades = generateTrades({ seed: 4, from: NOW, to: NOW + 900_000, tradesPerSecond: 100 });
  assert(trades.length > QUEUED_TICKS_MAX);
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
  });
  const goOn = Promise.withResolvers<void>();
  let isStopped = false;
  await using feed = watchFeed(exchange, {
    async onEvent(event) {
      if (event.type !== 'state' || event.state !== 'live') return;
      isStopped = true;
      await goOn.promise;
    },
  });
  await feed.until(() => isStopped, 'the reader to stop');
  const sending = exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= JOIN) });
  await new Promise((resolve) => setTimeout(resolve, 300));
  goOn.resolve();
  await sending;
  const last = trades.at(-1)?.a ?? 0;
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === last, 'the last trade');
  assertContiguous(feed.trades(), 1, last);
});

// The connection's life as the user is told of it: stale, replaced, held back by a slow reader.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { STALE_AFTER_MS } from '../../src/core/market/feed-status.ts';
import { QUEUED_TICKS_MAX } from '../../src/feed/binance/event-queue.ts';
import { OVERLAP_MS, SILENCE_RECONNECT_MS } from '../../src/feed/binance/session.ts';
import type { FeedEvent } from '../../src/feed/market-feed.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import {
  type AggTrade,
  createFakeExchange,
  type FakeExchange,
} from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { settableClock } from './settable-clock.ts';
import { assertContiguous, type WatchedFeed, watchFeed } from './watched-feed.ts';

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

test('R5: an announced shutdown is a change of sockets without loss, repetition or catching up', async () => {
  const trades = generateTrades({ seed: 3, from: NOW, to: NOW + 120_000, tradesPerSecond: 5 });
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
  });
  await using feed = watchFeed(exchange);
  await feed.live();
  const [first] = trades.filter(({ T }) => T >= JOIN);
  exchange.publish('BTCUSDT', first === undefined ? [] : [first]);
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === first?.a, 'a socket that serves');
  const planned = feed.events.length;
  exchange.announceShutdown();
  await changeOfSockets(exchange, feed, trades);
  assertPlanned(feed.events.slice(planned));
});

test('R6: before its 24 hours are over a socket is replaced likewise', async () => {
  const trades = generateTrades({ seed: 3, from: NOW, to: NOW + 120_000, tradesPerSecond: 5 });
  const clock = settableClock(JOIN);
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
  });
  // Younger than the silence that would be noticed: the clock stands still but for this.
  await using feed = watchFeed(exchange, { clock, rotateAfterMs: 3_000 });
  await feed.live();
  const planned = feed.events.length;
  clock.set(JOIN + 3_000);
  await changeOfSockets(exchange, feed, trades, () => clock.set(clock.now() + OVERLAP_MS / 50));
  assertPlanned(feed.events.slice(planned));
});

/** Trades before, while and after a second socket takes over; ends when all came once and the first socket is closed. */
async function changeOfSockets(
  exchange: FakeExchange,
  feed: WatchedFeed,
  trades: readonly AggTrade[],
  whileBoth: () => void = () => undefined,
): Promise<void> {
  const { records } = exchange.connections;
  const from = feed.trades().at(-1)?.aggTradeId ?? 0;
  const later = trades.filter(({ a }) => a > from);
  const part = (index: number) =>
    later.slice((later.length * index) / 4, (later.length * (index + 1)) / 4);
  exchange.publish('BTCUSDT', part(0));
  await feed.until(() => records[1]?.streams.has('btcusdt@aggTrade') === true, 'a second socket');
  assert.equal(records[0]?.closedAt, undefined, 'the first still delivers');
  exchange.publish('BTCUSDT', part(1));
  const seen = part(1).at(-1)?.a;
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === seen, 'what both delivered');
  exchange.publish('BTCUSDT', part(2));
  const isClosed = () => {
    whileBoth();
    return records[0]?.closedAt !== undefined;
  };
  await feed.until(isClosed, 'the first socket closed');
  exchange.publish('BTCUSDT', part(3));
  const last = trades.at(-1)?.a ?? 0;
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === last, 'the last trade');
  assertContiguous(feed.trades(), 1, last);
  assert.equal(records.length, 2);
  assert.deepEqual(exchange.breaches, []);
}

/** No word of anything: live all the while, and nothing rejected. */
function assertPlanned(events: readonly FeedEvent[]): void {
  const told = events.filter(({ type }) => type === 'rejected' || type === 'state');
  assert.deepEqual(told, []);
}

test('R7: what a frozen socket may have missed is fetched when another covers the symbol', async () => {
  const trades = generateTrades({ seed: 3, from: NOW, to: NOW + 40_000, tradesPerSecond: 5 });
  const clock = settableClock(JOIN);
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
  });
  await using feed = watchFeed(exchange, { clock });
  await feed.live();
  const [first, ...lost] = trades.filter(({ T }) => T >= JOIN);
  exchange.publish('BTCUSDT', first === undefined ? [] : [first]);
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === first?.a, 'a socket that serves');
  exchange.freeze();
  exchange.publish('BTCUSDT', lost);
  clock.set(JOIN + STALE_AFTER_MS);
  await feed.until(() => feed.state() === 'stale', 'stale');
  clock.set(JOIN + SILENCE_RECONNECT_MS);
  const last = trades.at(-1)?.a ?? 0;
  // No live trade follows: ids alone would not show that some are missing.
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === last, 'what was lost');
  assertContiguous(feed.trades(), 1, last);
});

test('R17: a reader that stops holds the sockets back, and gets everything when it goes on', async () => {
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

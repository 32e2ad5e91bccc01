// Many connections, and symbols that come and go on them, over real sockets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STALE_AFTER_MS } from '../../src/core/market/feed-status.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { SILENCE_RECONNECT_MS } from '../../src/feed/binance/session.ts';
import type { FeedEvent } from '../../src/feed/market-feed.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { settableClock } from './settable-clock.ts';
import { assertContiguous, type WatchedFeed, watchFeed } from './watched-feed.ts';

const NOW = Date.UTC(2026, 0, 14, 10);
const JOIN = NOW + 20_000;
const klines = generateHistory({ seed: 2, to: NOW, days: 3 });
const tape = (seed: number) =>
  generateTrades({ seed, from: NOW, to: NOW + 60_000, tradesPerSecond: 5 });
const before = (seed: number) => tape(seed).filter(({ T }) => T < JOIN);
const later = (seed: number) => tape(seed).filter(({ T }) => T >= JOIN);

const SYMBOLS = ['AUSDT', 'BUSDT', 'CUSDT', 'DUSDT', 'EUSDT'];
const listed = SYMBOLS.map((symbol, seed) => ({ symbol, klines, trades: before(seed) }));

test('R14: more symbols take more connections, each with pulses of its own', async () => {
  await using exchange = await createFakeExchange({ clock: manualClock(JOIN), symbols: listed });
  // A clock that stands still: however slow the machine, the exchange does not seem silent.
  const clock = settableClock(JOIN);
  await using feed = watchFeed(exchange, { clock, symbols: SYMBOLS, symbolsAConnection: 2 });
  await feed.live();
  const pulses = exchange.connections.records.map(({ streams }) =>
    [...streams].filter((stream) => stream.endsWith('@kline_1s')),
  );
  assert.deepEqual(pulses, [
    ['ausdt@kline_1s', 'busdt@kline_1s'],
    ['cusdt@kline_1s', 'dusdt@kline_1s'],
    ['eusdt@kline_1s'],
  ]);
  await exchange.playAll(Object.fromEntries(SYMBOLS.map((symbol, seed) => [symbol, later(seed)])));
  for (const [seed, symbol] of SYMBOLS.entries()) {
    const last = tape(seed).at(-1)?.a ?? 0;
    await feed.until(() => feed.trades(symbol).at(-1)?.aggTradeId === last, `all of ${symbol}`);
    assertContiguous(feed.trades(symbol), 1, last);
  }
  assert.deepEqual(exchange.breaches, []);
});

test('R7: a symbol catches up by id exactly when its connection was lost, not another’s', async () => {
  await using exchange = await createFakeExchange({ clock: manualClock(JOIN), symbols: listed });
  // A clock that stands still: no machine is too slow for the silence of an exchange that stands still, too.
  const clock = settableClock(JOIN);
  await using feed = watchFeed(exchange, { clock, symbols: SYMBOLS, symbolsAConnection: 3 });
  await feed.live();
  const asked = exchange.requests.length;
  const [, second] = exchange.connections.records;
  exchange.publish('DUSDT', later(3).slice(0, 10));
  exchange.resetConnections([second?.id ?? 0]);
  exchange.publish('AUSDT', later(0));
  exchange.publish('DUSDT', later(3).slice(10));
  for (const [seed, symbol] of [
    [0, 'AUSDT'],
    [3, 'DUSDT'],
  ] as const) {
    const last = tape(seed).at(-1)?.a ?? 0;
    await feed.until(() => feed.trades(symbol).at(-1)?.aggTradeId === last, `all of ${symbol}`);
    assertContiguous(feed.trades(symbol), 1, last);
  }
  await feed.until(() => feed.state() === 'live' && symbolsOf(feed).size === 0, 'all live');
  const fetched = exchange.requests.slice(asked).filter(({ query }) => query.includes('fromId'));
  const names = new Set(fetched.map(({ query }) => new URLSearchParams(query).get('symbol')));
  assert.deepEqual([...names].sort(), ['DUSDT', 'EUSDT']);
});

test('R15: one silent connection of several concerns its own symbols, and is replaced', async () => {
  const clock = settableClock(JOIN);
  await using exchange = await createFakeExchange({ clock: manualClock(JOIN), symbols: listed });
  await using feed = watchFeed(exchange, { clock, symbols: SYMBOLS, symbolsAConnection: 3 });
  await feed.live();
  const [, second] = exchange.connections.records;
  exchange.freeze([second?.id ?? 0]);
  clock.set(JOIN + STALE_AFTER_MS - 1);
  const joined = feed.trades('AUSDT').length;
  exchange.publish('AUSDT', later(0).slice(0, 1));
  await feed.until(() => feed.trades('AUSDT').length > joined, 'the first connection to speak');
  clock.set(JOIN + STALE_AFTER_MS);
  await feed.until(() => symbolsOf(feed).size > 0, 'a stale symbol');
  assert.equal(feed.state(), 'live');
  assert.deepEqual(
    [...symbolsOf(feed)],
    [
      ['DUSDT', 'stale'],
      ['EUSDT', 'stale'],
    ],
  );
  clock.set(JOIN + SILENCE_RECONNECT_MS);
  await feed.until(() => exchange.connections.records.length > 2, 'a third socket');
  exchange.advanceTo(JOIN + SILENCE_RECONNECT_MS);
  await feed.until(() => feed.state() === 'live' && symbolsOf(feed).size === 0, 'all live again');
});

test('R16: a symbol is added while running, without a word of the others', async () => {
  await using exchange = await createFakeExchange({ clock: manualClock(JOIN), symbols: listed });
  await using feed = watchFeed(exchange, { symbols: ['AUSDT'], symbolsAConnection: 2 });
  await feed.live();
  for (const symbol of ['BUSDT', 'CUSDT', 'BUSDT']) {
    feed.feed.add({ symbol: marketSymbol(symbol), resumeFrom: undefined });
  }
  await feed.until(() => feed.ticks('CUSDT').length > 0, 'the start of CUSDT');
  await feed.until(() => feed.state() === 'live' && symbolsOf(feed).size === 0, 'all live');
  exchange.publish('BUSDT', later(1));
  exchange.publish('CUSDT', later(2));
  for (const [seed, symbol] of [
    [1, 'BUSDT'],
    [2, 'CUSDT'],
  ] as const) {
    const last = tape(seed).at(-1)?.a ?? 0;
    await feed.until(() => feed.trades(symbol).at(-1)?.aggTradeId === last, `all of ${symbol}`);
    assertContiguous(feed.trades(symbol), 1, last);
    assert.equal(feed.ticks(symbol).filter(({ type }) => type === 'symbol').length, 1);
  }
  assert.equal(exchange.connections.openCount(), 2);
  assert.deepEqual(exchange.breaches, []);
});

test('R16: a removed symbol is left, comes back on demand, and the last of a connection ends it', async () => {
  await using exchange = await createFakeExchange({ clock: manualClock(JOIN), symbols: listed });
  const symbols = ['AUSDT', 'BUSDT', 'CUSDT'];
  await using feed = watchFeed(exchange, { symbols, symbolsAConnection: 2 });
  await feed.live();
  feed.feed.remove(marketSymbol('BUSDT'));
  feed.feed.remove(marketSymbol('CUSDT'));
  await feed.until(() => exchange.connections.subscribers('busdt@aggTrade') === 0, 'B to be left');
  await feed.until(() => exchange.connections.openCount() === 1, 'the end of a connection');
  const ticks = feed.ticks('BUSDT').length;
  exchange.publish('BUSDT', later(1).slice(0, 10));
  exchange.publish('AUSDT', later(0));
  const last = tape(0).at(-1)?.a ?? 0;
  await feed.until(() => feed.trades('AUSDT').at(-1)?.aggTradeId === last, 'all of AUSDT');
  assert.equal(feed.ticks('BUSDT').length, ticks);
  feed.feed.add({ symbol: marketSymbol('BUSDT'), resumeFrom: undefined });
  await feed.until(() => feed.ticks('BUSDT').length > ticks, 'B to start again');
  await feed.until(() => feed.state() === 'live' && symbolsOf(feed).size === 0, 'all live');
  assert.deepEqual(exchange.breaches, []);
  assert.deepEqual(rejectedOf(feed), []);
});

test('R16: a symbol that is removed and added again at once, still subscribed to, starts again', async () => {
  await using exchange = await createFakeExchange({ clock: manualClock(JOIN), symbols: listed });
  // A clock that stands still: no silence brings another socket.
  const clock = settableClock(JOIN);
  await using feed = watchFeed(exchange, { clock, symbols: ['AUSDT', 'BUSDT', 'CUSDT'] });
  await feed.live();
  const starts = () => feed.ticks('CUSDT').filter(({ type }) => type === 'symbol').length;
  assert.equal(starts(), 1);
  feed.feed.remove(marketSymbol('CUSDT'));
  feed.feed.add({ symbol: marketSymbol('CUSDT'), resumeFrom: undefined });
  await feed.until(() => starts() === 2, 'its second start');
  await feed.until(() => feed.state() === 'live' && symbolsOf(feed).size === 0, 'all live');
  assert.deepEqual(exchange.breaches, []);
});

test('R16: a symbol the exchange does not know is rejected by name, and the feed goes on', async () => {
  await using exchange = await createFakeExchange({ clock: manualClock(JOIN), symbols: listed });
  await using feed = watchFeed(exchange, { symbols: ['AUSDT'] });
  await feed.live();
  feed.feed.add({ symbol: marketSymbol('NOSUCHUSDT'), resumeFrom: undefined });
  await feed.until(() => rejectedOf(feed).length > 0, 'its rejection');
  assert.match(rejectedOf(feed)[0]?.reason ?? '', /"NOSUCHUSDT"/);
  await feed.until(() => feed.state() === 'live' && symbolsOf(feed).size === 0, 'live as before');
});

test('R13: a refused SUBSCRIBE is tried again, and its symbol joins', async () => {
  let refusals = 2;
  await using exchange = await createFakeExchange({ clock: manualClock(JOIN), symbols: listed });
  const warnings: string[] = [];
  await using feed = watchFeed(exchange, {
    symbols: ['AUSDT'],
    logger: { info() {}, warn: (text) => warnings.push(text) },
  });
  await feed.live();
  exchange.faults.onControl = (text) =>
    refusals-- > 0 ? `{"code":2,"msg":"no","id":${JSON.parse(text).id}}` : undefined;
  feed.feed.add({ symbol: marketSymbol('BUSDT'), resumeFrom: undefined });
  await feed.until(() => feed.trades('BUSDT').length > 0, 'BUSDT to join');
  assert.match(warnings.join('\n'), /refused busdt@\w+.*: 2: no/);
});

test('R18: pings are answered with their own payload', async () => {
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: listed,
    pingIntervalMs: 1_000,
  });
  await using feed = watchFeed(exchange, { symbols: ['AUSDT'] });
  await feed.live();
  for (let second = 1; second <= 3; second++) {
    exchange.advanceTo(JOIN + second * 1_000);
    await feed.until(() => exchange.connections.pongs() === second, `pong ${second}`);
  }
  assert.deepEqual(exchange.breaches, []);
});

test('R19: a clock that is minutes off changes nothing', async () => {
  for (const off of [-7, 7]) {
    const clock = settableClock(JOIN + off * 60_000);
    await using exchange = await createFakeExchange({ clock: manualClock(JOIN), symbols: listed });
    await using feed = watchFeed(exchange, { clock, symbols: ['AUSDT'] });
    await feed.live();
    assert(Math.abs((feed.feed.clockOffsetMs ?? 0) + off * 60_000) < 1_000);
    await exchange.playAll({ AUSDT: later(0) });
    exchange.advanceTo(NOW + 60_200);
    await feed.until(() => feed.watermarks().at(-1)?.time === NOW + 60_000, 'the minute’s end');
    assertContiguous(feed.trades(), 1, tape(0).at(-1)?.a ?? 0);
  }
});

test('what the exchange lists is told once it is known', async () => {
  await using exchange = await createFakeExchange({ clock: manualClock(JOIN), symbols: listed });
  await using feed = watchFeed(exchange, { symbols: ['AUSDT'] });
  const listings = () => feed.events.find((event) => event.type === 'listings');
  await feed.until(() => listings() !== undefined, 'listings');
  assert.deepEqual(listings()?.listings[1], {
    symbol: 'BUSDT',
    baseAsset: 'B',
    quoteAsset: 'USDT',
    status: 'TRADING',
  });
});

function symbolsOf(feed: WatchedFeed): ReadonlyMap<string, string> {
  const last = feed.events.findLast(({ type }) => type === 'state');
  return last?.type === 'state' ? last.symbols : new Map();
}

function rejectedOf(feed: WatchedFeed): readonly (FeedEvent & { type: 'rejected' })[] {
  return feed.events.filter((event) => event.type === 'rejected');
}

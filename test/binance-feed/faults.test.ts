// What an exchange and a network do wrong, over real sockets: nothing is lost, nothing comes twice, no limit is broken.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/app/system-clock.ts';
import { epochMs } from '../../src/core/market/time.ts';
import type { FeedEvent } from '../../src/feed/market-feed.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { settableClock } from './settable-clock.ts';
import { assertContiguous, watchFeed } from './watched-feed.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 0, 14, 10);
const JOIN = NOW + 20_000;
const klines = generateHistory({ seed: 2, to: NOW, days: 3 });

const makeTrades = (seed: number, minutes: number, tradesPerSecond = 5) =>
  generateTrades({ seed, from: NOW, to: NOW + minutes * MINUTE, tradesPerSecond });

test('a reset connection loses no trade and repeats none', async () => {
  const trades = makeTrades(11, 4);
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
  });
  await using feed = watchFeed(exchange);
  await feed.live();
  const later = trades.filter(({ T }) => T >= JOIN);
  for (let part = 0; part < 5; part++) {
    const from = Math.floor((part * later.length) / 5);
    const to = Math.floor(((part + 1) * later.length) / 5);
    const middle = Math.floor((from + to) / 2);
    exchange.publish('BTCUSDT', later.slice(from, middle));
    exchange.resetConnections();
    exchange.publish('BTCUSDT', later.slice(middle, to));
    const attempts = exchange.connections.records.length;
    await feed.until(() => exchange.connections.records.length > attempts, 'a new connection');
    await exchange.whenSubscribed('btcusdt@aggTrade');
  }
  const lastId = trades.at(-1)?.a ?? 0;
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === lastId, 'the last trade');
  assertContiguous(feed.trades(), trades[0]?.a ?? 0, lastId);
  assert.equal(feed.ticks().filter(({ type }) => type === 'symbol').length, 1);
  await feed.live();
  assert.deepEqual(exchange.breaches, []);
});

test('dropped, doubled and swapped frames are mended by id', async () => {
  const trades = makeTrades(12, 5, 10);
  let count = 0;
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
    faults: {
      onFrame(frame) {
        count += 1;
        if (!frame.text.includes('aggTrade')) return [frame];
        if (count % 17 === 0) return [];
        if (count % 11 === 0) return [frame, frame];
        if (count % 13 === 0) return [{ ...frame, delayMs: 30 }];
        return [frame];
      },
    },
  });
  await using feed = watchFeed(exchange);
  await feed.live();
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= JOIN) });
  exchange.advanceTo(NOW + 5 * MINUTE + 200);
  await feed.until(() => feed.watermarks().at(-1)?.time === NOW + 5 * MINUTE, 'the last minute');
  assertContiguous(feed.trades(), trades[0]?.a ?? 0, trades.at(-1)?.a ?? 0);
  assert.deepEqual(exchange.breaches, []);
});

test('a REST behind the socket is asked again until the ids meet', async () => {
  const trades = makeTrades(13, 3);
  const joinAt = NOW + 30_000;
  const clock = manualClock(joinAt);
  await using exchange = await createFakeExchange({
    clock,
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T <= joinAt) }],
    faults: { restLagMs: 5_000 },
  });
  await using feed = watchFeed(exchange);
  await exchange.whenSubscribed('btcusdt@aggTrade');
  exchange.publish(
    'BTCUSDT',
    trades.filter(({ T }) => T > joinAt && T < joinAt + 2_000),
  );
  await feed.until(() => exchange.requests.length > 12, 'repeated questions');
  exchange.publish(
    'BTCUSDT',
    trades.filter(({ T }) => T >= joinAt + 2_000),
  );
  exchange.advanceTo(NOW + 3 * MINUTE + 6_000);
  const lastId = trades.at(-1)?.a ?? 0;
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === lastId, 'the last trade');
  assertContiguous(feed.trades(), trades[0]?.a ?? 0, lastId);
  assert.deepEqual(exchange.breaches, []);
});

test('an outage is a gap: minutes the exchange leaves out get no watermark, empty ones do', async () => {
  const outage: [number, number] = [NOW + 5 * MINUTE, NOW + 8 * MINUTE];
  const trades = makeTrades(14, 12)
    .filter(({ T }) => T < NOW + 3 * MINUTE || T >= NOW + 9 * MINUTE)
    .map((trade, index) => ({ ...trade, a: index + 1 }));
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [
      {
        symbol: 'BTCUSDT',
        klines,
        trades: trades.filter(({ T }) => T < JOIN),
        outages: [outage],
      },
    ],
  });
  await using feed = watchFeed(exchange);
  await feed.live();
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= JOIN) });
  await feed.until(() => feed.trades().length === trades.length, 'the trades after the outage');
  const minutes = feed.watermarks().map(({ time }) => (time - NOW) / MINUTE);
  for (const empty of [4, 5, 9]) assert(minutes.includes(empty), `minute ending at ${empty}`);
  for (const missing of [6, 7, 8])
    assert(!minutes.includes(missing), `minute ending at ${missing}`);
  assertContiguous(feed.trades(), 1, trades.length);
});

test('lost closed klines are made up for by REST', async () => {
  const trades = makeTrades(15, 8)
    .filter(({ T }) => T < NOW + 2 * MINUTE || T >= NOW + 6 * MINUTE)
    .map((trade, index) => ({ ...trade, a: index + 1 }));
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
    faults: { onFrame: (frame) => (frame.text.includes('kline_1m') ? [] : [frame]) },
  });
  await using feed = watchFeed(exchange);
  await feed.live();
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= JOIN) });
  await feed.until(() => feed.trades().length === trades.length, 'all trades');
  const minutes = feed.watermarks().map(({ time }) => (time - NOW) / MINUTE);
  for (const empty of [3, 4, 5, 6]) assert(minutes.includes(empty), `minute ending at ${empty}`);
});

test('twenty symbols join and stay in order, each by itself', async () => {
  const symbols = Array.from({ length: 20 }, (_, index) => `S${index}USDT`);
  const tapes = new Map(symbols.map((symbol, index) => [symbol, makeTrades(20 + index, 2, 2)]));
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: symbols.map((symbol) => ({
      symbol,
      klines,
      trades: (tapes.get(symbol) ?? []).filter(({ T }) => T < JOIN),
    })),
  });
  // Its clock stands still: however slow the machine, the exchange does not seem silent.
  await using feed = watchFeed(exchange, { symbols, clock: settableClock(JOIN) });
  await feed.live();
  const tape = [...tapes].map(([symbol, trades]) => [symbol, trades.filter(({ T }) => T >= JOIN)]);
  await exchange.playAll(Object.fromEntries(tape));
  exchange.advanceTo(NOW + 2 * MINUTE + 200);
  for (const [symbol, trades] of tapes) {
    // Quiet ones too: one of them trades not at all.
    const isOver = () =>
      feed.watermarks(symbol).at(-1)?.time === NOW + 2 * MINUTE &&
      feed.trades(symbol).length >= trades.length;
    await feed.until(isOver, `the end of ${symbol}`);
    assertContiguous(feed.trades(symbol), 1, trades.length);
  }
  assert.deepEqual(exchange.breaches, []);
});

test('history comes for each interval, closed candles only, ascending', async () => {
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: makeTrades(16, 1).filter(({ T }) => T < JOIN) }],
  });
  await using feed = watchFeed(exchange);
  const intervals = () =>
    new Set(feed.events.flatMap((e) => (e.type === 'history' ? [e.candles[0]?.interval] : [])));
  await feed.until(() => intervals().size >= 12, 'history of the intervals that have any');
  for (const event of feed.events) {
    if (event.type !== 'history') continue;
    assert(event.candles.every(({ closeTime }) => closeTime < NOW));
    const opens = event.candles.map(({ openTime }) => openTime);
    assert.deepEqual(
      opens,
      [...opens].sort((a, b) => a - b),
    );
  }
  const minutes = feed.events.find(
    (e): e is FeedEvent & { type: 'history' } =>
      e.type === 'history' && e.candles[0]?.interval === '1m',
  );
  assert.equal(minutes?.candles.length, 1_500);
});

test('an unknown symbol ends the stream with its name', async () => {
  await using exchange = await createFakeExchange({ clock: manualClock(JOIN) });
  await using feed = watchFeed(exchange, { symbols: ['BTCUSDT', 'BTCUSTD'] });
  await assert.rejects(feed.ended, { code: 'unknown-symbol', message: /"BTCUSTD"/ });
});

test('the weight limit is kept, however little it is', async () => {
  const symbols = Array.from({ length: 20 }, (_, index) => `S${index}USDT`);
  await using exchange = await createFakeExchange({
    symbols: symbols.map((symbol) => ({ symbol, klines })),
    clock: manualClock(JOIN),
    weightMax: 400,
  });
  await using feed = watchFeed(exchange, { symbols });
  await feed.until(() => weightOf(exchange.requests) > 250, 'requests');
  exchange.advanceTo(JOIN + 1_000);
  assert(weightOf(exchange.requests) <= 400);
  assert.deepEqual(exchange.breaches, []);
});

test('a server that refuses for weight is asked again only after Retry-After', async () => {
  let refusedAt = 0;
  await using exchange = await createFakeExchange({
    symbols: [{ symbol: 'BTCUSDT', klines }],
    clock: manualClock(JOIN),
    faults: {
      onRequest({ path }) {
        if (path !== '/api/v3/klines' || refusedAt > 0) return undefined;
        refusedAt = performance.now();
        return { status: 429, headers: { 'Retry-After': '1' }, body: '{"code":-1003,"msg":"x"}' };
      },
    },
  });
  // Retry-After is kept by timers, so these must be whole.
  const start = JOIN - performance.now();
  const now = () => epochMs(Math.floor(start + performance.now()));
  await using feed = watchFeed(exchange, { clock: { now, sleep: systemClock.sleep } });
  await feed.live();
  assert(performance.now() - refusedAt >= 990);
});

test('trades that REST has not got either are passed over, and it is said', async () => {
  const trades = makeTrades(19, 2);
  const lost = trades.find(({ T }) => T > JOIN + 10_000)?.a ?? 0;
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
    faults: {
      onFrame: (frame) => (frame.text.includes(`"a":${lost},`) ? [] : [frame]),
      onRequest: ({ query }) =>
        query.has('fromId') ? { status: 200, headers: {}, body: '[]' } : undefined,
    },
  });
  await using feed = watchFeed(exchange, { holeWaitMs: 700 });
  await feed.live();
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= JOIN) });
  await feed.until(() => feed.trades().length === trades.length - 1, 'all but one');
  const rejected = feed.events.filter((event) => event.type === 'rejected');
  assert.match(rejected[0]?.reason ?? '', new RegExp(`trades ${lost} to ${lost} of BTCUSDT`));
});

test('a row of REST that is no trade is rejected once, however often it comes', async () => {
  const trades = makeTrades(19, 2);
  const lost = trades.find(({ T }) => T > JOIN + 10_000)?.a ?? 0;
  let answers = 0;
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
    faults: {
      onFrame: (frame) => (frame.text.includes(`"a":${lost},`) ? [] : [frame]),
      onRequest({ query }) {
        if (!query.has('fromId')) return undefined;
        answers += 1;
        return { status: 200, headers: {}, body: `[{"a":${lost},"p":"broken"}]` };
      },
    },
  });
  await using feed = watchFeed(exchange, { holeWaitMs: 3_000 });
  await feed.live();
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= JOIN) });
  await feed.until(() => feed.trades().length === trades.length - 1, 'all but one');
  assert(answers > 1, `${answers} answers`);
  const rows = feed.events.filter(
    (event) => event.type === 'rejected' && event.payload.includes('broken'),
  );
  assert.equal(rows.length, 1);
});

test('a REST that fails now and then is asked again', async () => {
  const trades = makeTrades(19, 2);
  let count = 0;
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
    faults: {
      onRequest() {
        count += 1;
        return count % 2 === 1 ? { status: 500, headers: {}, body: '<html>' } : undefined;
      },
    },
  });
  await using feed = watchFeed(exchange);
  await feed.live();
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= JOIN) });
  await feed.until(() => feed.trades().length === trades.length, 'all trades');
  assertContiguous(feed.trades(), 1, trades.length);
});

test('garbage is rejected with its reason and disturbs nothing', async () => {
  const trades = makeTrades(17, 2);
  let sent = 0;
  const garbage = [
    '{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","s":"BTCUSDT"}}',
    '{"stream":',
    '[]',
    '{"stream":"x@aggTrade","data":{"e":"aggTrade","E":1,"s":"XUSDT","a":1,"p":"1","q":"1","f":1,"l":1,"T":1,"m":true,"M":true}}',
    '{"stream":"!new@arr","data":{"e":"somethingNew","E":1}}',
  ];
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
    faults: {
      onFrame(frame) {
        const text = garbage[sent++];
        return text === undefined ? [frame] : [frame, { ...frame, text }];
      },
    },
  });
  await using feed = watchFeed(exchange);
  await feed.live();
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= JOIN) });
  const lastId = trades.at(-1)?.a ?? 0;
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === lastId, 'the last trade');
  assertContiguous(feed.trades(), trades[0]?.a ?? 0, lastId);
  const rejected = feed.events.filter(({ type }) => type === 'rejected');
  assert.equal(rejected.length, 4, 'an event of an unknown kind is no fault');
});

test('a stopped exchange is offline, and after its return nothing is missing', async () => {
  const trades = makeTrades(18, 3);
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
  });
  await using feed = watchFeed(exchange);
  await feed.live();
  await exchange.stop();
  await feed.until(() => feed.state() === 'offline', 'offline');
  exchange.publish(
    'BTCUSDT',
    trades.filter(({ T }) => T >= JOIN),
  );
  await exchange.start();
  const lastId = trades.at(-1)?.a ?? 0;
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === lastId, 'the last trade');
  await feed.live();
  assertContiguous(feed.trades(), trades[0]?.a ?? 0, lastId);
});

function weightOf(requests: readonly { readonly weight: number }[]): number {
  return requests.reduce((sum, { weight }) => sum + weight, 0);
}

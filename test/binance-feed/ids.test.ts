// Ids decide (I1): garbage among them, holes that nobody can fill, and a series that begins anew, over real sockets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeAggTrade } from '../../src/protocol/agg-trade-record.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange, type Faults } from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import type { AggTrade } from '../fake-exchange/truth.ts';
import {
  assertContiguous,
  type WatchedFeed,
  type WatchOptions,
  watchFeed,
} from './watched-feed.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 0, 14, 10);
const JOIN = NOW + 20_000;
const klines = generateHistory({ seed: 2, to: NOW, days: 3 });

/** The first of them before `JOIN`, so that the series has begun by then. */
function makeTrades(seed: number, minutes: number, tradesPerSecond = 5): AggTrade[] {
  const range = { from: NOW, to: NOW + minutes * MINUTE, tradesPerSecond };
  const trades = generateTrades({ seed, ...range });
  return (trades[0]?.T ?? JOIN) < JOIN - 5_000
    ? trades
    : makeTrades(seed + 100, minutes, tradesPerSecond);
}

const rejections = (feed: WatchedFeed) =>
  feed.events.flatMap((event) => (event.type === 'rejected' ? [event.reason] : []));

/** Replaces or doubles the stream's frame of trade `id`. */
function onTrade(id: number, change: (text: string) => readonly string[]): Faults {
  return {
    onFrame(frame) {
      if (!frame.text.includes(`"a":${id},`) || !frame.text.includes('aggTrade')) return [frame];
      return change(frame.text).map((text) => ({ ...frame, text }));
    },
  };
}

async function play(trades: readonly AggTrade[], faults: Faults, options: WatchOptions = {}) {
  const exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
    faults,
  });
  const feed = watchFeed(exchange, options);
  await feed.live();
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= JOIN) });
  return { exchange, feed };
}

/** Every trade of the truth, each once, in order, field by field. */
function assertSame(feed: WatchedFeed, trades: readonly AggTrade[]): void {
  assertContiguous(feed.trades(), trades[0]?.a ?? 0, trades.at(-1)?.a ?? 0);
  for (const [index, { a, p, q, f, l, T, m }] of trades.entries()) {
    const got = feed.trades()[index] ?? assert.fail();
    const want = { e: 'aggTrade', E: got.eventTime, s: 'BTCUSDT', a, p, q, f, l, T, m };
    assert.equal(encodeAggTrade(got), JSON.stringify(want));
  }
}

const inMiddle = (trades: readonly AggTrade[]) =>
  trades.find(({ T }) => T > JOIN + 15_000) ?? assert.fail();

test('a trade of an id far ahead is refused as soon as later trades of lower ids have come', async () => {
  const trades = makeTrades(41, 2);
  const { a } = inMiddle(trades);
  const garbage = onTrade(a, (text) => [text, text.replace(`"a":${a},`, `"a":${a + 5_000_000},`)]);
  const { exchange, feed } = await play(trades, garbage);
  await using _ = exchange;
  await using __ = feed;
  await feed.until(() => feed.trades().length >= trades.length, 'all trades');
  await feed.until(() => rejections(feed).length > 0, 'the refusal');
  assertSame(feed, trades);
  assert.match(rejections(feed)[0] ?? '', /does not know: trades of lower ids are later/);
  await feed.until(() => feed.state() === 'live', 'live again');
});

test('a trade whose single trades do not follow is asked for by REST, whose word counts', async () => {
  const trades = makeTrades(42, 2);
  const { a, f, p } = inMiddle(trades);
  const wrong = onTrade(a, (text) => [
    text.replace(`"f":${f},`, `"f":${f - 1},`).replace(`"p":"${p}"`, '"p":"1.00000000"'),
  ]);
  const { exchange, feed } = await play(trades, wrong);
  await using _ = exchange;
  await using __ = feed;
  await feed.until(() => feed.trades().length >= trades.length, 'all trades');
  assertSame(feed, trades);
  assert.deepEqual(rejections(feed), []);
});

test('single trades that jump at the exchange too are taken as they are, and it is recorded once', async () => {
  const at = inMiddle(makeTrades(43, 2)).a;
  const trades = makeTrades(43, 2).map((trade) =>
    trade.a < at ? trade : { ...trade, f: trade.f + 7, l: trade.l + 7 },
  );
  const { exchange, feed } = await play(trades, {});
  await using _ = exchange;
  await using __ = feed;
  await feed.until(() => feed.trades().length >= trades.length, 'all trades');
  assertSame(feed, trades);
  assert.equal(rejections(feed).length, 1);
  assert.match(rejections(feed)[0] ?? '', new RegExp(`trade ${at} of BTCUSDT to begin with`));
  assert.equal(feed.feed.counts?.().idJumps, 1);
});

test('one id with two contents, while it is held, is what REST says', async () => {
  const trades = makeTrades(44, 2);
  const { a, p } = inMiddle(trades);
  const two = onTrade(a + 1, (text) => [text]);
  const exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
    faults: {
      ...two,
      onFrame(frame) {
        if (frame.text.includes(`"a":${a},`)) return [];
        if (!frame.text.includes(`"a":${a + 1},`)) return [frame];
        const other = frame.text.replace(/"p":"[^"]+"/, '"p":"1.00000000"');
        return [{ ...frame, text: other }, frame];
      },
    },
  });
  await using _ = exchange;
  await using feed = watchFeed(exchange);
  await feed.live();
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= JOIN) });
  await feed.until(() => feed.trades().length >= trades.length, 'all trades');
  assert(p !== '1.00000000');
  assertSame(feed, trades);
});

test('while REST does not answer, a hole is passed over in time and the stream goes on', async () => {
  const trades = makeTrades(45, 2);
  const { a } = inMiddle(trades);
  const { exchange, feed } = await play(
    trades,
    {
      ...onTrade(a, () => []),
      onRequest: ({ query }) => (query.has('fromId') ? 'hang' : undefined),
    },
    { holeWaitMs: 400 },
  );
  await using _ = exchange;
  await using __ = feed;
  await feed.until(() => feed.trades().length === trades.length - 1, 'all but one');
  assert(rejections(feed).some((reason) => reason.includes(`trades ${a} to ${a} of BTCUSDT`)));
  assert.equal(feed.feed.counts?.().passedHoles, 1);
  assert.deepEqual(
    feed.trades().map(({ aggTradeId }) => aggTradeId),
    trades.flatMap((trade) => (trade.a === a ? [] : [trade.a])),
  );
});

test('as many trades held as may be: the hole is passed over at once', async () => {
  const trades = makeTrades(46, 3);
  const { a } = inMiddle(trades);
  const last = trades.at(-1) ?? assert.fail();
  const { exchange, feed } = await play(
    trades.slice(0, -1),
    {
      ...onTrade(a, () => []),
      onRequest: ({ query }) => (query.has('fromId') ? 'hang' : undefined),
    },
    { heldTradesMax: 50 },
  );
  await using _ = exchange;
  await using __ = feed;
  const isAsked = () => exchange.requests.some(({ query }) => query.includes(`fromId=${a}`));
  await feed.until(isAsked, 'the question for it');
  // That no more can be held is noticed with each further trade, not by a look at what is held.
  await exchange.playAll({ BTCUSDT: [last] });
  await feed.until(
    () => rejections(feed).some((reason) => reason.includes(`trades ${a} to ${a} `)),
    'the hole said',
  );
  exchange.faults.onRequest = undefined;
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === trades.at(-1)?.a, 'the last trade');
  assert.equal(
    new Set(feed.trades().map(({ aggTradeId }) => aggTradeId)).size,
    feed.trades().length,
  );
});

test('more missed trades than are fetched are left to klines; trades join again at a later minute', async () => {
  const trades = makeTrades(47, 6, 20);
  const away = trades.filter(({ T }) => T >= JOIN && T < NOW + 4 * MINUTE + 30_000);
  const exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
  });
  await using _ = exchange;
  await using feed = watchFeed(exchange, { resumeTradesMax: 1_500 });
  await feed.live();
  await exchange.stop();
  exchange.publish('BTCUSDT', away);
  await exchange.start();
  await exchange.whenSubscribed('btcusdt@aggTrade');
  await feed.until(
    () => feed.ticks().filter(({ type }) => type === 'symbol').length === 2,
    'a second start',
  );
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= NOW + 4 * MINUTE + 30_000) });
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === trades.at(-1)?.a, 'the last trade');
  const starts = feed.ticks().flatMap((tick) => (tick.type === 'symbol' ? [tick.start.time] : []));
  const [, again = 0] = starts;
  assert(again >= NOW + 3 * MINUTE && again <= NOW + 5 * MINUTE, `again at ${again - NOW}`);
  const after = feed.trades().filter(({ tradeTime }) => tradeTime >= again);
  assert.deepEqual(
    after.map(({ aggTradeId }) => aggTradeId),
    trades.filter(({ T }) => T >= again).map(({ a }) => a),
  );
  const closed = new Set(feed.klines('1m').map(({ openTime }) => openTime));
  for (let at = NOW; at < again; at += MINUTE) assert(closed.has(at as never), `kline of ${at}`);
});

test('ids that begin anew, at REST too, are a new series from the next minute on', async () => {
  const trades = makeTrades(48, 6).map((trade) => ({ ...trade, a: trade.a + 1_000_000 }));
  const resetAt = NOW + MINUTE + 30_000;
  const first = trades.find(({ T }) => T >= resetAt)?.a ?? assert.fail();
  const anew = (a: number) => a - first;
  let known: readonly AggTrade[] = [];
  const exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
    faults: {
      onFrame(frame) {
        const id = Number(/"a":(\d+),/.exec(frame.text)?.[1] ?? -1);
        if (id < first) return [frame];
        return [{ ...frame, text: frame.text.replace(`"a":${id},`, `"a":${anew(id)},`) }];
      },
      onRequest({ path, query }) {
        if (!path.endsWith('aggTrades') || exchange.now() < resetAt) return undefined;
        known = trades.filter(({ T }) => T >= resetAt && T <= exchange.now());
        const fromId = Number(query.get('fromId') ?? 0);
        const startTime = Number(query.get('startTime') ?? 0);
        const limit = Number(query.get('limit') ?? 500);
        const rows = known
          .map((trade) => ({ ...trade, a: anew(trade.a), M: true }))
          .filter(({ a, T }) => a >= fromId && T >= startTime);
        const some = query.has('fromId') || query.has('startTime');
        const body = JSON.stringify(some ? rows.slice(0, limit) : rows.slice(-limit));
        return { status: 200, headers: {}, body };
      },
    },
  });
  await using _ = exchange;
  await using feed = watchFeed(exchange);
  await feed.live();
  const aMoment = NOW + MINUTE + 45_000;
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= JOIN && T < aMoment) });
  await feed.until(() => rejections(feed).length > 0, 'the new series seen');
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= aMoment) });
  exchange.advanceTo(NOW + 6 * MINUTE + 15_000);
  const last = anew(trades.at(-1)?.a ?? 0);
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === last, 'the last trade');
  const starts = feed.ticks().flatMap((tick) => (tick.type === 'symbol' ? [tick.start] : []));
  assert.equal(starts.length, 2);
  assert.equal(starts[1]?.isNewSeries, true);
  const from = starts[1]?.time ?? 0;
  assert(from > resetAt && from % MINUTE === 0);
  const after = feed.trades().filter(({ tradeTime }) => tradeTime >= from);
  assert.deepEqual(
    after.map(({ aggTradeId }) => aggTradeId),
    trades.filter(({ T }) => T >= from).map(({ a }) => anew(a)),
  );
  const told = feed.events.some(
    (event) => event.type === 'state' && /begun anew/.test(event.reason ?? ''),
  );
  assert(told, 'the state says why');
  const closed = new Set(feed.klines('1m').map(({ openTime }) => openTime));
  assert(closed.has((NOW + MINUTE) as never), 'the minute of the reset is closed by its kline');
});

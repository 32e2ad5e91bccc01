// What the exchange says of its closed minutes, and what is answered to the audit, over real sockets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Candle } from '../../src/core/market/candle.ts';
import { formatDecimal } from '../../src/core/market/decimal.ts';
import type { Evidence } from '../../src/core/market/evidence.ts';
import type { RepairPart } from '../../src/core/market/raw-tick.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import type { EpochMs } from '../../src/core/market/time.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange, type FakeExchangeOptions } from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { type AggTrade, type TruthCandle, truthCandles } from '../fake-exchange/truth.ts';
import { type WatchedFeed, watchFeed } from './watched-feed.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 0, 14, 10);
const JOIN = NOW + 20_000;
const BTCUSDT = marketSymbol('BTCUSDT');
const klines = generateHistory({ seed: 2, to: NOW, days: 3 });

const makeTrades = (seed: number, minutes: number, tradesPerSecond = 5) =>
  generateTrades({ seed, from: NOW, to: NOW + minutes * MINUTE, tradesPerSecond });

const evidenceOf = (feed: WatchedFeed): readonly Evidence[] =>
  feed.events.flatMap((event) => (event.type === 'evidence' ? [event.evidence] : []));
const partsOf = (feed: WatchedFeed): readonly RepairPart[] =>
  feed.ticks().flatMap((tick) => (tick.type === 'repair' ? [tick.repair] : []));
const minute = (index: number) => (NOW + index * MINUTE) as EpochMs;
const answered = (feed: WatchedFeed, type: Evidence['type'], openTime: number) =>
  evidenceOf(feed).some(
    (one) => one.type === type && (one.type === 'kline' ? one.candle : one).openTime === openTime,
  );

/** An exchange at the end of `minutes`, all trades known to REST and to the feed, and minutes kept by `keep` alone. */
async function settled(trades: readonly AggTrade[], options: FakeExchangeOptions = {}) {
  const { symbols = [{}], ...rest } = options;
  const exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: symbols.map((each) => ({
      symbol: 'BTCUSDT',
      klines,
      trades: trades.filter(({ T }) => T < JOIN),
      ...(typeof each === 'object' ? each : {}),
    })),
    ...rest,
  });
  const feed = watchFeed(exchange);
  await feed.live();
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= JOIN) });
  return { exchange, feed };
}

function assertEqualsTruth(candle: Candle, truth: TruthCandle | undefined): void {
  const { openTime, closeTime, trades } = candle;
  assert.deepEqual(
    {
      openTime,
      closeTime,
      trades,
      open: formatDecimal(candle.open),
      high: formatDecimal(candle.high),
      low: formatDecimal(candle.low),
      close: formatDecimal(candle.close),
      volume: formatDecimal(candle.volume),
      quoteVolume: formatDecimal(candle.quoteVolume),
      takerBuyVolume: formatDecimal(candle.takerBuyVolume),
      takerBuyQuoteVolume: formatDecimal(candle.takerBuyQuoteVolume),
      firstTradeId: candle.firstTradeId ?? truth?.firstTradeId,
      lastTradeId: candle.lastTradeId ?? truth?.lastTradeId,
    },
    { ...truth },
  );
}

test('each closed 1m kline of the stream is evidence, whole and with its ids', async () => {
  const trades = makeTrades(31, 4).filter(({ T }) => T < NOW + MINUTE || T >= NOW + 2 * MINUTE);
  const { exchange, feed } = await settled(trades);
  await using _ = exchange;
  await using __ = feed;
  exchange.advanceTo(NOW + 4 * MINUTE + 200);
  await feed.until(() => answered(feed, 'kline', minute(3)), 'the last minute');
  const truth = truthCandles(trades, '1m');
  for (const index of [0, 1, 2, 3]) {
    const own = evidenceOf(feed).filter(
      (one) => one.type === 'kline' && one.candle.openTime === minute(index),
    );
    assert.equal(own.length, 1);
    const [evidence] = own;
    assert(evidence?.type === 'kline' && evidence.via === 'stream');
    assertEqualsTruth(evidence.candle, truth[index]);
  }
});

test('klines asked for are answered by REST, each minute once, those left out as absent', async () => {
  const trades = makeTrades(32, 8).filter(({ T }) => T < NOW + 2 * MINUTE || T >= NOW + 5 * MINUTE);
  const outages: [number, number][] = [[NOW + 3 * MINUTE, NOW + 5 * MINUTE]];
  const { exchange, feed } = await settled(trades, {
    symbols: [{ symbol: 'BTCUSDT', outages }],
    faults: { onFrame: (frame) => (frame.text.includes('kline_1m') ? [] : [frame]) },
  });
  await using _ = exchange;
  await using __ = feed;
  const request = { type: 'klines', symbol: BTCUSDT, from: minute(0), to: minute(7) } as const;
  feed.feed.ask(request);
  feed.feed.ask(request);
  await feed.until(() => answered(feed, 'kline', minute(6)), 'the last minute');
  const truth = truthCandles(trades, '1m', { outages });
  const found = evidenceOf(feed);
  assert.deepEqual(
    found.map((one) => [
      one.type,
      ((one.type === 'kline' ? one.candle : one).openTime - NOW) / MINUTE,
    ]),
    [0, 1, 2, 3, 4, 5, 6].map((at) => [at === 3 || at === 4 ? 'absent' : 'kline', at]),
  );
  for (const one of found) {
    if (one.type !== 'kline') continue;
    assert.equal(one.via, 'rest');
    assertEqualsTruth(
      one.candle,
      truth.find(({ openTime }) => openTime === one.candle.openTime),
    );
  }
});

test('a minute that is not over is not answered before it is settled', async () => {
  const { exchange, feed } = await settled(makeTrades(33, 1).filter(({ T }) => T < NOW + 40_000));
  await using _ = exchange;
  await using __ = feed;
  feed.feed.ask({ type: 'klines', symbol: BTCUSDT, from: minute(0), to: minute(1) });
  const asked = () => exchange.requests.filter(({ query }) => query.includes('limit=2')).length;
  await feed.until(() => asked() >= 2, 'two questions');
  assert.deepEqual(evidenceOf(feed), []);
  exchange.advanceTo(NOW + 2 * MINUTE);
  await feed.until(() => answered(feed, 'kline', minute(0)), 'the minute');
});

test('all trades of a minute come again as a closed group of parts, then it is repaired', async () => {
  const trades = makeTrades(34, 3, 40);
  const { exchange, feed } = await settled(trades);
  await using _ = exchange;
  await using __ = feed;
  const request = { type: 'trades', symbol: BTCUSDT, openTime: minute(1) } as const;
  feed.feed.ask(request);
  feed.feed.ask(request);
  await feed.until(() => answered(feed, 'repaired', minute(1)), 'the repair');
  const parts = partsOf(feed);
  const own = trades.filter(({ T }) => T >= minute(1) && T < minute(2));
  assert(own.length > 2_000, `${own.length} trades need three pages`);
  assert.deepEqual(
    parts.map(({ part, parts: of }) => [part, of]),
    parts.map((_part, index) => [index, 3]),
  );
  assert.deepEqual(
    parts.flatMap((part) => part.trades.map(({ aggTradeId }) => aggTradeId)),
    own.map(({ a }) => a),
  );
  const order = feed.events.findIndex(
    (event) => event.type === 'evidence' && event.evidence.type === 'repaired',
  );
  const last = feed.events.findLastIndex(
    (event) => event.type === 'ticks' && event.ticks.some(({ type }) => type === 'repair'),
  );
  assert(last < order, 'the group comes before it is said to be repaired');
  await feed.until(() => feed.state() === 'live', 'live');
});

test('a minute without trades is repaired by an empty group, one that does not exist is absent', async () => {
  const trades = makeTrades(35, 8).filter(({ T }) => T < NOW + MINUTE || T >= NOW + 5 * MINUTE);
  const outages: [number, number][] = [[NOW + 3 * MINUTE, NOW + 5 * MINUTE]];
  const { exchange, feed } = await settled(
    trades.map((trade, index) => ({ ...trade, a: index + 1 })),
    { symbols: [{ symbol: 'BTCUSDT', outages }] },
  );
  await using _ = exchange;
  await using __ = feed;
  feed.feed.ask({ type: 'trades', symbol: BTCUSDT, openTime: minute(1) });
  feed.feed.ask({ type: 'trades', symbol: BTCUSDT, openTime: minute(3) });
  await feed.until(() => answered(feed, 'repaired', minute(1)), 'the empty minute');
  await feed.until(() => answered(feed, 'absent', minute(3)), 'the absent minute');
  const nextTradeTime = trades.find(({ T }) => T >= NOW + 2 * MINUTE)?.T;
  assert.deepEqual(partsOf(feed), [
    { symbol: BTCUSDT, openTime: minute(1), part: 0, parts: 1, trades: [], nextTradeTime },
  ]);
});

test('a minute is whole only when a later trade or its closed kline shows it', async () => {
  const trades = makeTrades(36, 1);
  const { exchange, feed } = await settled(trades, { faults: { restLagMs: 0 } });
  await using _ = exchange;
  await using __ = feed;
  exchange.faults.restLagMs = 10_000;
  feed.feed.ask({ type: 'trades', symbol: BTCUSDT, openTime: minute(0) });
  const asked = () => exchange.requests.filter(({ query }) => query.includes('limit=2')).length;
  await feed.until(() => asked() >= 2, 'two questions for the kline');
  assert.deepEqual(partsOf(feed), []);
  exchange.faults.restLagMs = 0;
  exchange.advanceTo(NOW + 2 * MINUTE);
  await feed.until(() => answered(feed, 'repaired', minute(0)), 'the repair');
  assert.deepEqual(
    partsOf(feed).flatMap((part) => part.trades.map(({ aggTradeId }) => aggTradeId)),
    trades.map(({ a }) => a),
  );
});

test('trades the exchange has not got make a minute unrepairable, and it says which', async () => {
  const trades = makeTrades(37, 3);
  const lost = trades.find(({ T }) => T >= NOW + MINUTE + 5_000)?.a ?? 0;
  const { exchange, feed } = await settled(trades.filter(({ a }) => a !== lost));
  await using _ = exchange;
  await using __ = feed;
  feed.feed.ask({ type: 'trades', symbol: BTCUSDT, openTime: minute(1) });
  await feed.until(() => answered(feed, 'unrepairable', minute(1)), 'the answer');
  const [answer] = evidenceOf(feed).filter(({ type }) => type === 'unrepairable');
  assert(answer?.type === 'unrepairable');
  assert.equal(answer.reason, `the exchange has no trades ${lost} to ${lost} of BTCUSDT`);
  assert.deepEqual(partsOf(feed), []);
});

test('the exchange’s digits of a closed minute are a kline after all that is out already', async () => {
  const trades = makeTrades(38, 3);
  const { exchange, feed } = await settled(trades);
  await using _ = exchange;
  await using __ = feed;
  feed.feed.ask({ type: 'klines', symbol: BTCUSDT, from: minute(0), to: minute(1) });
  await feed.until(() => answered(feed, 'kline', minute(0)), 'the kline');
  const evidence = evidenceOf(feed).find((one) => one.type === 'kline');
  assert(evidence?.type === 'kline');
  feed.feed.ask({ type: 'rounding', candle: evidence.candle });
  await feed.until(() => feed.klines('1m').at(-1)?.openTime === minute(0), 'the tick');
  const ticks = feed.ticks();
  const at = ticks.findLastIndex(({ type }) => type === 'kline');
  assert.deepEqual(ticks[at], {
    type: 'kline',
    candle: { ...evidence.candle, reason: 'rounding' },
  });
  assert(
    ticks.findIndex((tick) => tick.type === 'aggTrade' && tick.trade.tradeTime >= minute(1)) < at,
  );
});

test('a symbol that is not ours is not asked for', async () => {
  const { exchange, feed } = await settled(makeTrades(39, 2));
  await using _ = exchange;
  await using __ = feed;
  const other = marketSymbol('ETHUSDT');
  feed.feed.ask({ type: 'trades', symbol: other, openTime: minute(0) });
  feed.feed.ask({ type: 'trades', symbol: BTCUSDT, openTime: minute(0) });
  await feed.until(() => answered(feed, 'repaired', minute(0)), 'our own');
  assert(!exchange.requests.some(({ query }) => query.includes('ETHUSDT')));
});

test('a minute with ids that are used up by no trade is repaired whole, without them', async () => {
  const trades = makeTrades(37, 3);
  const inMinute = trades.filter(({ T }) => T >= minute(1) && T < minute(2));
  const nothing = new Set([inMinute[3]?.a, inMinute.at(-2)?.a]);
  const sent = trades.map((trade) =>
    nothing.has(trade.a) ? { ...trade, q: '0.00000000' } : trade,
  );
  const { exchange, feed } = await settled(sent);
  await using _ = exchange;
  await using __ = feed;
  exchange.advanceTo(NOW + 3 * MINUTE + 200);
  await feed.until(() => feed.watermarks().at(-1)?.time === minute(3), 'the last minute');
  feed.feed.ask({ type: 'trades', symbol: BTCUSDT, openTime: minute(1) });
  await feed.until(() => answered(feed, 'repaired', minute(1)), 'the repair');
  assert.deepEqual(
    partsOf(feed).flatMap((part) => part.trades.map(({ aggTradeId }) => aggTradeId)),
    inMinute.flatMap(({ a }) => (nothing.has(a) ? [] : [a])),
  );
});

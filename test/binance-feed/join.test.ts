// A symbol's start over real sockets: tiles, join in the middle of a minute, watermarks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decimal } from '../../src/core/market/decimal.ts';
import { encodeAggTrade } from '../../src/protocol/agg-trade-record.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { assertContiguous, watchFeed } from './watched-feed.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
/** A Wednesday, 10:00. */
const NOW = Date.UTC(2026, 0, 14, 10);

test('joins in the middle of a minute: tiles up to it, then every trade once, in order', async () => {
  const from = NOW - 10 * MINUTE;
  const trades = generateTrades({ seed: 1, from, to: NOW + 3 * MINUTE, tradesPerSecond: 10 });
  const joinAt = NOW + 30_000;
  await using exchange = await createFakeExchange({
    clock: manualClock(joinAt),
    symbols: [
      {
        symbol: 'BTCUSDT',
        klines: generateHistory({ seed: 2, to: from, days: 40, minuteDays: 3 }),
        trades: trades.filter(({ T }) => T <= joinAt),
      },
    ],
  });
  await using feed = watchFeed(exchange);
  await feed.live();
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T > joinAt) });
  const last = trades.at(-1);
  assert(last);
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === last.a, 'the last trade');

  const first = trades.find(({ T }) => T >= NOW);
  assert(first);
  assertContiguous(feed.trades(), first.a, last.a);
  const { a, p, q, f, l, T, m } = last;
  const sent = { e: 'aggTrade', E: T, s: 'BTCUSDT', a, p, q, f, l, T, m };
  assert.equal(encodeAggTrade(feed.trades().at(-1) ?? assert.fail()), JSON.stringify(sent));

  const [start] = feed.ticks();
  assert.deepEqual(start, {
    type: 'symbol',
    start: {
      symbol: 'BTCUSDT',
      time: NOW,
      threeDayAnchor: Date.UTC(2026, 0, 13),
      minutesFrom: Date.UTC(2026, 0, 14),
      daysFrom: Date.UTC(2026, 0, 1),
      previousClose: decimal(trades.findLast(({ T }) => T < NOW)?.p ?? assert.fail()),
    },
  });
  assert.deepEqual(
    feed.klines('1d').map(({ openTime }) => openTime),
    Array.from({ length: 13 }, (_, day) => Date.UTC(2026, 0, 1) + day * DAY),
  );
  assert.deepEqual(
    feed.klines('1m').map(({ openTime }) => openTime),
    Array.from({ length: 600 }, (_, minute) => Date.UTC(2026, 0, 14) + minute * MINUTE),
  );
  assert.deepEqual(exchange.breaches, []);
});

test('each minute ends by a watermark before the first trade after it, or by that trade', async () => {
  const trades = generateTrades({ seed: 5, from: NOW, to: NOW + 20 * MINUTE, tradesPerSecond: 1 });
  const withEmpty = trades.filter(({ T }) => ![3, 4, 9].includes(Math.floor((T - NOW) / MINUTE)));
  const renumbered = withEmpty.map((trade, index) => ({ ...trade, a: index + 1 }));
  await using exchange = await createFakeExchange({
    clock: manualClock(NOW),
    symbols: [{ symbol: 'BTCUSDT', klines: generateHistory({ seed: 2, to: NOW, days: 2 }) }],
  });
  await using feed = watchFeed(exchange);
  await feed.live();
  await exchange.playAll({ BTCUSDT: renumbered });
  exchange.advanceTo(NOW + 20 * MINUTE + 100);
  await feed.until(() => feed.watermarks().at(-1)?.time === NOW + 20 * MINUTE, 'the last minute');

  assertContiguous(feed.trades(), 1, renumbered.length);
  const marked = new Set(feed.watermarks().map(({ time }) => time - MINUTE));
  let openTime = 0;
  let lastId = 0;
  for (const tick of feed.ticks()) {
    if (tick.type === 'watermark') {
      assert.equal(tick.watermark.aggTradeId, lastId);
      assert(tick.watermark.time > openTime, 'watermarks and trades do not go back');
      openTime = tick.watermark.time;
    } else if (tick.type === 'aggTrade') {
      assert(tick.trade.tradeTime >= openTime, 'no trade comes behind the watermark of its minute');
      lastId = tick.trade.aggTradeId;
    }
  }
  for (const minute of [3, 4, 9]) assert(marked.has((NOW + minute * MINUTE) as never));
  assert.deepEqual(exchange.breaches, []);
});

test('resumed after minutes, it folds what was missed; after hours, klines fill the way', async () => {
  const trades = generateTrades({ seed: 6, from: NOW - 5 * MINUTE, to: NOW, tradesPerSecond: 3 });
  const joinAt = NOW + 20_000;
  await using exchange = await createFakeExchange({
    clock: manualClock(joinAt),
    symbols: [
      {
        symbol: 'BTCUSDT',
        klines: generateHistory({ seed: 2, to: NOW - 5 * MINUTE, days: 40, minuteDays: 3 }),
        trades,
      },
    ],
  });
  const resumed = NOW - 4 * MINUTE;
  await using soon = watchFeed(exchange, { resumeFrom: resumed });
  await soon.live();
  const first = trades.find(({ T }) => T >= resumed);
  assert(first);
  assertContiguous(soon.trades(), first.a, trades.at(-1)?.a ?? 0);
  assert.equal(soon.klines('1m').at(-1)?.closeTime, resumed - 1);

  const yesterday = NOW - 12 * 60 * MINUTE;
  await using late = watchFeed(exchange, { resumeFrom: yesterday });
  await late.live();
  const [start] = late.ticks();
  assert(start?.type === 'symbol');
  assert.equal(start.start.minutesFrom, yesterday);
  assert.deepEqual(
    late.klines('1m').map(({ openTime }) => openTime),
    Array.from({ length: 720 }, (_, minute) => yesterday + minute * MINUTE),
  );
  assert.equal(late.klines('1d').at(-1)?.closeTime, Date.UTC(2026, 0, 13) - 1);
});

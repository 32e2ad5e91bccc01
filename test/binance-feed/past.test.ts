// The past a symbol brings along when it was away: by the process's own absence, and by the socket's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Candle } from '../../src/core/market/candle.ts';
import type { EpochMs } from '../../src/core/market/time.ts';
import { HISTORY_GAP_DAYS_MAX } from '../../src/feed/binance/past.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { settableClock } from './settable-clock.ts';
import { type WatchedFeed, watchFeed } from './watched-feed.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 0, 14, 10);
const JOIN = NOW + 20_000;
const trades = generateTrades({ seed: 1, from: NOW, to: JOIN, tradesPerSecond: 5 });

test('away for days, it fetches every minute and 3 minutes since then, whole', async () => {
  const klines = generateHistory({ seed: 2, to: NOW, days: 8, minuteDays: 5 });
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades }],
  });
  const resumeFrom = NOW - 4 * DAY - 7 * MINUTE;
  const warnings: string[] = [];
  const logger = { info() {}, warn: (text: string) => warnings.push(text) };
  await using feed = watchFeed(exchange, { resumeFrom, logger });
  const lacks = (interval: string, ms: number) =>
    missing(historyOf(feed, interval), resumeFrom - (resumeFrom % ms), NOW - (NOW % ms), ms);
  await feed.until(() => lacks('1m', MINUTE) === 0, 'all minutes');
  await feed.until(() => lacks('3m', 3 * MINUTE) === 0, 'all 3 minutes');
  assert.deepEqual(warnings, []);
  assert.deepEqual(exchange.breaches, []);
});

test('ended while it fetched what it had missed, it fetches the rest at the next start, minutes last', async () => {
  const klines = generateHistory({ seed: 2, to: NOW, days: 8, minuteDays: 5 });
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades }],
  });
  const hole = NOW - 4 * DAY - 7 * MINUTE;
  await using feed = watchFeed(exchange, {
    resumeFrom: NOW - 2 * MINUTE,
    oldestHole: async () => hole as EpochMs,
    historyIntervals: ['1m', '3m', '5m'],
  });
  const lacks = (interval: string, ms: number) =>
    missing(historyOf(feed, interval), hole - (hole % ms), NOW - (NOW % ms), ms);
  await feed.until(() => lacks('1m', MINUTE) === 0, 'all minutes');
  // Minutes without a hole say at the next start that there is nothing else to fetch.
  assert.equal(lacks('3m', 3 * MINUTE), 0);
  assert.equal(lacks('5m', 5 * MINUTE), 0);
});

test('a store that cannot say what was missed costs nothing else', async () => {
  const klines = generateHistory({ seed: 2, to: NOW, days: 8, minuteDays: 5 });
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades }],
  });
  const warnings: string[] = [];
  const resumeFrom = NOW - 2 * DAY;
  await using feed = watchFeed(exchange, {
    resumeFrom,
    oldestHole: () => Promise.reject(new Error('database away')),
    logger: { info() {}, warn: (text: string) => warnings.push(text) },
    historyIntervals: ['1m'],
  });
  const lacks = () => missing(historyOf(feed, '1m'), resumeFrom, NOW, MINUTE);
  await feed.until(() => lacks() === 0, 'all minutes since then');
  assert.match(warnings.join(), /earlier pauses is not known.*database away/);
});

test('away for longer than is fetched, it says from when to when candles are missing', async () => {
  const klines = generateHistory({ seed: 2, to: NOW, days: 3 });
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades }],
  });
  const warnings: string[] = [];
  const logger = { info() {}, warn: (text: string) => warnings.push(text) };
  const resumeFrom = NOW - (HISTORY_GAP_DAYS_MAX + 10) * DAY;
  await using feed = watchFeed(exchange, { resumeFrom, logger, historyIntervals: ['1m'] });
  const starts = () =>
    exchange.requests.map(({ query }) => Number(new URLSearchParams(query).get('startTime')));
  const limit = NOW - HISTORY_GAP_DAYS_MAX * DAY;
  await feed.until(() => starts().includes(limit), 'the oldest page');
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0] ?? '',
    /BTCUSDT: candles from 2025-12-05T10:00:00.000Z to 2025-12-15T10:00:00.000Z are missing;/,
  );
  assert(starts().every((time) => time === 0 || time >= limit));
});

test('cut off for hours, it starts again and fetches the history of all intervals again', async () => {
  const clock = settableClock(JOIN);
  const klines = generateHistory({ seed: 2, to: NOW, days: 3 });
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades }],
  });
  await using feed = watchFeed(exchange, { clock, historyIntervals: ['1m', '3m', '12h'] });
  await feed.until(() => historyOf(feed, '12h').length > 0, 'the first history');
  exchange.freeze();
  const later = JOIN + 30 * HOUR;
  exchange.advanceTo(later);
  clock.set(later);
  exchange.unfreeze();
  const end = later - 20_000;
  const lacks = (interval: string, ms: number) =>
    missing(historyOf(feed, interval), NOW - (NOW % ms), end - (end % ms), ms);
  // REST may have vouched for the first of them, which had no trades, before the socket was back.
  const marked = () => feed.watermarks().map(({ time }) => ({ openTime: time - MINUTE }));
  const lackMinutes = () =>
    missing([...historyOf(feed, '1m'), ...marked()], NOW, end - (end % MINUTE), MINUTE);
  await feed.until(() => lackMinutes() === 0, 'the minutes of the outage');
  await feed.until(() => lacks('3m', 3 * MINUTE) === 0, 'its 3 minutes');
  await feed.until(() => lacks('12h', 12 * HOUR) === 0, 'its 12 hours');
  assert.equal(feed.ticks().filter(({ type }) => type === 'symbol').length, 2);
});

test('history that a login page answers is asked for again until the exchange does', async () => {
  const klines = generateHistory({ seed: 2, to: NOW, days: 3 });
  const loginPage = { status: 200, headers: {}, body: '<html>Please log in</html>' };
  let pages = 3;
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades }],
    faults: {
      onRequest: ({ query }) =>
        query.get('interval') === '12h' && pages-- > 0 ? loginPage : undefined,
    },
  });
  const warnings: string[] = [];
  const logger = { info() {}, warn: (text: string) => warnings.push(text) };
  await using feed = watchFeed(exchange, { logger, historyIntervals: ['12h'] });
  await feed.until(() => historyOf(feed, '12h').length > 0, 'the history');
  const told = warnings.filter((text) => text.startsWith('BTCUSDT 12h: no history yet'));
  assert.equal(told.length, 1, 'told once, however often it is asked');
});

test('history that the exchange says it has not is not asked for again', async () => {
  const klines = generateHistory({ seed: 2, to: NOW, days: 3 });
  const badRequest = { status: 400, headers: {}, body: '{"code":-1120,"msg":"Invalid interval."}' };
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades }],
    faults: {
      onRequest: ({ query }) => (query.get('interval') === '8h' ? badRequest : undefined),
    },
  });
  await using feed = watchFeed(exchange, { historyIntervals: ['8h', '12h'] });
  await feed.until(() => historyOf(feed, '12h').length > 0, 'the interval behind it');
  const asked = exchange.requests.filter(({ query }) => query.includes('interval=8h'));
  assert.equal(asked.length, 1);
});

function historyOf(feed: WatchedFeed, interval: string): readonly Candle[] {
  return feed.events.flatMap((event) =>
    event.type === 'history' && event.candles[0]?.interval === interval ? event.candles : [],
  );
}

/** How many of the windows from `from` to `to` (exclusive) are not there. */
function missing(
  candles: readonly { readonly openTime: number }[],
  from: number,
  to: number,
  ms: number,
): number {
  const opens = new Set(candles.map(({ openTime }) => openTime));
  let count = 0;
  for (let open = from; open < to; open += ms) if (!opens.has(open)) count += 1;
  return count;
}

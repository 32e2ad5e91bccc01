// Frames that come before REST has said what time it is at the exchange: they are judged as soon as it has, and none of them is lost (I1, I2).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange, type Faults } from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { assertContiguous, watchFeed } from './watched-feed.ts';

const MINUTE = 60_000;
const YEAR = 365 * 86_400_000;
const NOW = Date.UTC(2026, 0, 14, 10);
const JOIN = NOW + 20_000;
const klines = generateHistory({ seed: 2, to: NOW, days: 3 });

/** An exchange whose time is not to be had until `tellTime`; `early` trades come before that, `later` ones after. */
async function startsWithoutTime(onFrame: NonNullable<Faults['onFrame']>) {
  const trades = generateTrades({ seed: 41, from: NOW, to: NOW + 2 * MINUTE, tradesPerSecond: 5 });
  let isTimeTold = false;
  const exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
    faults: {
      onFrame,
      // It lags: what came early is not in the start's page of trades.
      restLagMs: 8_000,
      onRequest: ({ path }) =>
        isTimeTold || path !== '/api/v3/time'
          ? undefined
          : { status: 500, headers: {}, body: 'Internal error' },
    },
  });
  return {
    exchange,
    trades,
    early: trades.filter(({ T }) => T >= JOIN && T < JOIN + 5_000),
    later: trades.filter(({ T }) => T >= JOIN + 5_000),
    tellTime() {
      isTimeTold = true;
    },
  };
}

test('a trade a year off that comes before the exchange’s time is known is refused, and had from REST', async () => {
  const far = new Set<number>();
  let lastEarly = 0;
  const start = await startsWithoutTime((frame) => {
    const id = Number(/"a":(\d+),/.exec(frame.text)?.[1]);
    // No JSON is refused at once: it shows that all before it has come.
    if (id === lastEarly) return [frame, { ...frame, text: '{' }];
    if (!far.has(id)) return [frame];
    const [of, by] = id % 2 === 0 ? [/"T":(\d{13})/, -YEAR] : [/"(?:T|E)":(\d{13})/g, YEAR];
    const text = frame.text.replace(of, (field, time) =>
      field.replace(time, String(Number(time) + by)),
    );
    return [{ ...frame, text }];
  });
  await using exchange = start.exchange;
  const { trades, early, later } = start;
  for (const { a } of early.slice(2).filter((_, index) => index % 5 === 0)) far.add(a);
  assert(far.size > 2);
  lastEarly = early.at(-1)?.a ?? 0;
  far.delete(lastEarly);
  await using feed = watchFeed(exchange);
  await exchange.whenSubscribed('btcusdt@aggTrade');
  exchange.publish('BTCUSDT', early);
  await feed.until(() => feed.events.some(({ type }) => type === 'rejected'), 'the early frames');
  start.tellTime();
  await feed.until(() => feed.trades().length > 0, 'a start');
  exchange.publish('BTCUSDT', later);
  exchange.advanceTo(NOW + 2 * MINUTE + 15_000);
  const last = trades.at(-1)?.a ?? 0;
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === last, 'the last trade');
  assertContiguous(feed.trades(), trades[0]?.a ?? 0, last);
  assert.deepEqual(
    feed.trades().map(({ tradeTime }) => Number(tradeTime)),
    trades.map(({ T }) => T),
  );
  const told = feed.events.filter(
    (event) => event.type === 'rejected' && /Expected (?:a time|an event sent)/.test(event.reason),
  );
  assert.equal(told.length, far.size);
});

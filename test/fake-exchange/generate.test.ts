// Generated markets: the same by seed, in order, and consistent from one interval to the next.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY, HOUR, MINUTE } from './calendar.ts';
import { createFakeExchange } from './fake-exchange.ts';
import { generateHistory, generateTrades } from './generate.ts';
import { createMarket } from './market.ts';
import { openClient } from './test-client.ts';
import { truthCandles } from './truth.ts';

const START = Date.UTC(2026, 0, 1);
const options = { seed: 9, from: START, to: START + HOUR, tradesPerSecond: 3 };

test('the same seed gives the same trades, in order, with bursts and quiet minutes', () => {
  const trades = generateTrades(options);
  assert.deepEqual(trades, generateTrades(options));
  const pairs = trades.slice(1).map((trade, index) => [trades[index], trade] as const);
  assert(
    pairs.every(([before, after]) => before && before.T <= after.T && before.a + 1 === after.a),
  );
  assert(pairs.every(([before, after]) => before && before.l + 1 === after.f));
  assert(pairs.some(([before, after]) => before?.T === after.T));
  const candles = truthCandles(trades, '1m', { from: START, to: START + HOUR, previousClose: '1' });
  assert.equal(candles.length, 60);
  assert(candles.some((candle) => candle.trades === 0));
});

test('hours and days of generated history are its minutes joined', () => {
  const history = generateHistory({ seed: 4, to: START, days: 2 });
  const market = createMarket([{ symbol: 'BTCUSDT', klines: { '1m': history['1m'] ?? [] } }]);
  for (const interval of ['1h', '1d'] as const) {
    const joined = market.candles('BTCUSDT', interval, { startTime: 0, limit: 100 }, START - 1);
    assert.deepEqual(joined, history[interval]);
  }
});

test('windows wholly inside an outage do not exist, others go on', () => {
  const trades = generateTrades(options).filter(
    ({ T }) => T < START + 10 * MINUTE || T >= START + 20 * MINUTE,
  );
  const market = createMarket([{ symbol: 'BTCUSDT', trades }]);
  const outage = [START + 10 * MINUTE, START + 20 * MINUTE] as const;
  market.addOutage('BTCUSDT', ...outage);
  for (const interval of ['1m', '3m', '5m', '15m'] as const) {
    const range = { startTime: START, limit: 1_000 };
    assert.deepEqual(
      market.candles('BTCUSDT', interval, range, START + HOUR - 1),
      truthCandles(trades, interval, { from: START, to: START + HOUR, outages: [outage] }),
      interval,
    );
  }
});

test('3d windows start on the first day of trading', () => {
  const market = createMarket([{ symbol: 'BTCUSDT', onboardTime: START + DAY + HOUR }]);
  assert.equal(market.openTime('BTCUSDT', '3d', START + 3 * DAY), START + DAY);
});

test('load goes on from the history and keeps the order', async () => {
  const now = Date.now();
  const klines = generateHistory({ seed: 1, to: now, days: 1, price: '500.00' });
  await using exchange = await createFakeExchange({ symbols: [{ symbol: 'BTCUSDT', klines }] });
  await using client = await openClient(`${exchange.wsUrl}/ws/btcusdt@aggTrade`);
  const load = exchange.startLoad({ tradesPerSecond: 5_000, seed: 1, shape: 'bursts' });
  const frames = (await client.count(100)).map((text) => JSON.parse(text));
  load.stop();
  assert.deepEqual(
    frames.slice(0, 100).map(({ a }) => a),
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
  assert.equal(frames[0].f, (klines['1m']?.at(-1)?.lastTradeId ?? 0) + 1);
  assert(Math.abs(Number(frames[0].p) - 500) < 5);
});

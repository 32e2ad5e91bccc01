// A frame of 10 MB ends the connection that brought it, and nothing else: what was missed is fetched by id (I1), and the state says why.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { assertContiguous, watchFeed } from './watched-feed.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 0, 14, 10);
const JOIN = NOW + 20_000;
const BIG = 10 * 1024 * 1024;

test('a frame of 10 MB ends its connection, and every trade and minute is there', async () => {
  const range = { from: NOW, to: NOW + 3 * MINUTE, tradesPerSecond: 5 };
  const trades = generateTrades({ seed: 51, ...range });
  let isSent = false;
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [
      {
        symbol: 'BTCUSDT',
        klines: generateHistory({ seed: 2, to: NOW, days: 3 }),
        trades: trades.filter(({ T }) => T < JOIN),
      },
    ],
    faults: {
      onFrame(frame) {
        const isTime = exchange.now() > NOW + MINUTE && frame.text.includes('aggTrade');
        if (isSent || !isTime) return [frame];
        isSent = true;
        return [{ ...frame, text: frame.text.padEnd(BIG) }, frame];
      },
    },
  });
  await using feed = watchFeed(exchange);
  await feed.live();
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= JOIN) });
  exchange.advanceTo(NOW + 3 * MINUTE + 200);
  const last = trades.at(-1)?.a ?? 0;
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === last, 'the last trade');
  assertContiguous(feed.trades(), trades[0]?.a ?? 0, last);
  assert(isSent);
  // REST may have told of the last trade before the socket has read so much.
  const reasons = () =>
    feed.events.flatMap((event) => (event.type === 'state' ? [event.reason ?? ''] : []));
  await feed.until(
    () => reasons().some((reason) => /Max payload size exceeded/.test(reason)),
    'the reason',
  );
  await feed.live();
  assertContiguous(feed.trades(), trades[0]?.a ?? 0, last);
  assert.deepEqual(exchange.breaches, []);
});

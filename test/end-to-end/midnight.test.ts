// I4: a start in the first minute of a day, before its first trade: no minute of the day says at which price it is flat, the day before does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asTruth } from '../candles/candle-run.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { truthCandles } from '../fake-exchange/truth.ts';
import { fastClock, startPipeline, temporaryDir } from './pipeline.ts';

const MINUTE_MS = 60_000;
/** What waits for half a minute waits for three seconds. */
const SPEED = 10;
const MIDNIGHT = Date.UTC(2026, 0, 14);
const TRADED_FROM = MIDNIGHT - 5 * MINUTE_MS;
const START = MIDNIGHT + 30_000;
const TO = MIDNIGHT + 4 * MINUTE_MS;

test('the empty minutes after midnight are closed, flat at the close of the day before', async () => {
  const trades = generateTrades({ seed: 12, from: TRADED_FROM, to: TO, tradesPerSecond: 2 })
    .filter(({ T }) => T < MIDNIGHT || T >= MIDNIGHT + 2 * MINUTE_MS)
    .map((trade, index) => ({ ...trade, a: index + 1 }));
  await using dir = await temporaryDir();
  await using exchange = await createFakeExchange({
    symbols: [
      {
        symbol: 'BTCUSDT',
        klines: generateHistory({ seed: 2, to: TRADED_FROM, days: 3 }),
        trades: trades.filter(({ T }) => T < START),
      },
    ],
    clock: manualClock(START),
  });
  await using pipeline = await startPipeline({
    exchange,
    dataDir: dir.path,
    symbols: ['BTCUSDT'],
    clock: fastClock(SPEED),
  });
  await exchange.whenSubscribed('btcusdt@aggTrade');
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= START) });
  exchange.advanceTo(TO + 15_000);
  await pipeline.untilClosed('1m', MIDNIGHT);
  await pipeline.untilClosed('1m', TO - MINUTE_MS);
  for (const interval of ['1m', '3m'] as const) {
    const ours = pipeline.candles(interval).filter(({ openTime }) => openTime >= MIDNIGHT);
    const wanted = truthCandles(trades, interval, { from: TRADED_FROM, to: TO });
    const isIn = ({ openTime, closeTime }: (typeof wanted)[number]) =>
      openTime >= MIDNIGHT && closeTime < TO;
    assert.deepEqual(ours.map(asTruth), wanted.filter(isIn), interval);
    assert(ours.every(({ complete }) => complete));
  }
  assert.equal(pipeline.candles('1m').find(({ openTime }) => openTime === MIDNIGHT)?.trades, 0);
});

// The machine's clock is set forward by hours or back by minutes in mid-minute, over real sockets: every candle is still true (I2, I4, I5).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../../src/core/market/time.ts';
import { addMs } from '../../src/core/market/time.ts';
import { asTruth } from '../candles/candle-run.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange, type Faults } from '../fake-exchange/fake-exchange.ts';
import { generateTrades } from '../fake-exchange/generate.ts';
import { truthCandles } from '../fake-exchange/truth.ts';
import { fastClock, startPipeline, temporaryDir } from './pipeline.ts';

const MINUTE_MS = 60_000;
const FROM = Date.UTC(2026, 0, 14);
const MINUTES = 5;
const TO = FROM + MINUTES * MINUTE_MS;
const SPEED = 10;
const trades = generateTrades({ seed: 33, from: FROM, to: TO, tradesPerSecond: 2 });

/** A clock that can be set while all who sleep by it sleep on. */
function setClock(clock: Clock): Clock & { move(byMs: number): void } {
  let moved = 0;
  return {
    now: () => addMs(clock.now(), moved),
    sleep: clock.sleep,
    move(byMs) {
      moved += byMs;
    },
  };
}

async function until(holds: () => boolean): Promise<void> {
  for (let looks = 0; !holds(); looks++) {
    assert(looks < 2_000, 'not within 20 s');
    await setTimeout(10);
  }
}

async function jump(byMs: number, faults: Faults): Promise<void> {
  await using dir = await temporaryDir();
  await using exchange = await createFakeExchange({
    symbols: [{ symbol: 'BTCUSDT', onboardTime: FROM }],
    clock: manualClock(FROM),
    faults,
  });
  const clock = setClock(fastClock(SPEED));
  await using pipeline = await startPipeline({
    exchange,
    dataDir: dir.path,
    symbols: ['BTCUSDT'],
    clock,
  });
  await exchange.whenSubscribed('btcusdt@aggTrade');
  const jumpAt = FROM + 2 * MINUTE_MS + 30_000;
  const middle = trades.findIndex(({ T }) => T >= jumpAt);
  await exchange.playAll({ BTCUSDT: trades.slice(0, middle) });
  await pipeline.untilClosed('1m', FROM + MINUTE_MS);
  clock.move(byMs);
  // What was missed meanwhile is fetched, and the open minute's kline asked for, by a clock that is wrong.
  const asked = exchange.requests.length;
  exchange.resetConnections();
  await exchange.whenSubscribed('btcusdt@aggTrade');
  await until(() => exchange.requests.slice(asked).some(({ status }) => status === 200));
  await exchange.playAll({ BTCUSDT: trades.slice(middle) });
  exchange.advanceTo(TO + 15_000);
  await pipeline.untilClosed('1m', TO - MINUTE_MS);
  for (const interval of ['1s', '1m'] as const) {
    const candles = pipeline
      .candles(interval)
      .filter(({ openTime }) => openTime >= FROM && openTime < TO);
    assert.deepEqual(candles.map(asTruth), truthCandles(trades, interval, { from: FROM, to: TO }));
    assert(candles.every(({ complete, revision }) => complete && revision === 0));
  }
  assert.deepEqual(exchange.breaches, []);
}

for (const [name, byMs] of [
  ['forward by three hours', 3 * 60 * MINUTE_MS],
  ['back by ten minutes', -10 * MINUTE_MS],
] as const) {
  test(`the clock is set ${name} in mid-minute`, () => jump(byMs, {}));
}

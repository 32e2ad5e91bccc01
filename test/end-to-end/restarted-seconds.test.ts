// I6: the seconds of a minute that a process did not live to close are folded once more by the next one, and what the store has of them is put right.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storePath } from '../../src/app/open-store.ts';
import type { Candle } from '../../src/core/market/candle.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { binanceSource } from '../../src/feed/binance/feed.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { asTruth } from '../candles/candle-run.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateTrades } from '../fake-exchange/generate.ts';
import { truthCandles } from '../fake-exchange/truth.ts';
import { startPipeline, temporaryDir } from './pipeline.ts';

const SYMBOL = 'BTCUSDT';
const MINUTE_MS = 60_000;
const FROM = Date.UTC(2024, 6, 1);
const TO = FROM + 3 * MINUTE_MS;
const STOPPED = FROM + MINUTE_MS + 30_000;

test('a second that the store has without one of its trades is corrected after the restart', async () => {
  const trades = generateTrades({ seed: 12, from: FROM, to: TO, tradesPerSecond: 4 });
  await using dir = await temporaryDir();
  await using exchange = await createFakeExchange({
    symbols: [{ symbol: SYMBOL, onboardTime: FROM }],
    clock: manualClock(FROM),
  });
  const start = async () => {
    const running = await startPipeline({ exchange, dataDir: dir.path, symbols: [SYMBOL] });
    await exchange.whenSubscribed('btcusdt@aggTrade');
    return running;
  };
  const wrong: Candle[] = [];
  {
    await using first = await start();
    const before = trades.filter(({ T }) => T < STOPPED);
    await exchange.playAll({ [SYMBOL]: before });
    await first.untilClosed('1s', STOPPED - 3_000);
    const seconds = first.candles('1s').filter(({ openTime }) => openTime >= FROM + MINUTE_MS);
    // As if the process had been killed before the correction that makes them right: one lacks a trade and says so, one does not know it.
    const [one, other] = seconds.filter((each) => each.trades > 2);
    assert(one !== undefined && other !== undefined);
    wrong.push({ ...one, trades: 2, complete: false }, { ...other, trades: 2 });
    const written = wrong.map((candle) => ({ ...candle, revision: 1 }));
    await first.store.write(written);
  }
  await using second = await start();
  await exchange.playAll({ [SYMBOL]: trades.filter(({ T }) => T >= STOPPED) });
  exchange.advanceTo(TO + 15_000);
  await second.untilClosed('1m', TO - MINUTE_MS);
  await second[Symbol.asyncDispose]();
  const source = binanceSource({ restUrls: [exchange.restUrl], webSocketUrls: [exchange.wsUrl] });
  const path = storePath(dir.path, source);
  await using store = await openSqliteStore({ path, source, readOnly: true });
  const symbol = marketSymbol(SYMBOL);
  const stored = await store.read({ symbol, interval: '1s', limit: 1_000, take: 'last' });
  assert.deepEqual(
    stored.map(asTruth),
    truthCandles(trades, '1s', { from: FROM, to: TO }).filter(({ closeTime }) => closeTime < TO),
  );
  assert(stored.every(({ complete }) => complete));
  const corrected = stored.filter(({ revision }) => revision > 0);
  assert.deepEqual(
    corrected.map(({ openTime, revision }) => [openTime, revision]),
    wrong.map(({ openTime }) => [openTime, 2]),
  );
});

// I6: trades kept over Kafka. A persist that dies between its write and its commit, or before the write, loses none and stores none twice.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { storePath } from '../../src/app/open-store.ts';
import { systemClock } from '../../src/app/system-clock.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { DAY_MS, epochMs } from '../../src/core/market/time.ts';
import { OHLCV, RAW_TICKS, TOPICS } from '../../src/protocol/topics.ts';
import { persist } from '../../src/stages/persist.ts';
import type { CandleStore } from '../../src/store/candle-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { candleAt } from '../contracts/candle-store-contract.ts';
import { temporaryDir } from '../end-to-end/pipeline.ts';
import { logger, skip, testBroker } from './kafka-broker.ts';
import { FROM, type MarketShape, symbolNames, ticksOf, tradesOf } from './kafka-chaos/market.ts';

const SHAPE: MarketShape = { seed: 3, symbols: 4, trades: 12_000, minutes: 30 };
/** The candles' too: trades are kept for a day before the newest. */
const OPEN_TIME = epochMs(FROM);
const SYMBOLS = symbolNames(SHAPE.symbols);
const WAIT_MS_MAX = 60_000;
const source = { kind: 'simulated', seed: 3 } as const;

test('persist over Kafka, killed twice: every trade once', { skip }, async () => {
  await using broker = await testBroker();
  await using dir = await temporaryDir();
  const prefix = randomUUID();
  await broker.createTopics(TOPICS, { prefix: `${prefix}.` });
  await using writer = broker.openLog(prefix);
  for (const [index, key] of SYMBOLS.entries()) {
    const ticks = ticksOf(SHAPE, index);
    for (let at = 0; at < ticks.length; at += 500) {
      const part = ticks.slice(at, at + 500);
      await writer.append(
        part.map((value) => ({ topic: RAW_TICKS, key, value, timestamp: OPEN_TIME })),
      );
    }
    const candle = candleAt(0, { symbol: marketSymbol(key), openTime: OPEN_TIME });
    await writer.append([{ topic: OHLCV['1m'], key, value: candle, timestamp: candle.openTime }]);
  }
  await using store = await openSqliteStore({ path: storePath(dir.path, source), source });

  /** One life: it ends when `write` makes it. */
  const live = (life: (written: number, act: () => Promise<void>) => Promise<void>) => {
    const stop = new AbortController();
    let written = 0;
    const dying: CandleStore = {
      ...store,
      async write(candles, trades = []) {
        if (stop.signal.aborted) throw new Error('dead');
        await life(written, () => store.write(candles, trades)).catch((error: unknown) => {
          stop.abort();
          throw error;
        });
        written += trades.length;
      },
    };
    const log = broker.openLog(prefix);
    const options = {
      intervals: ['1m'],
      clock: systemClock,
      logger,
      keepTradesMs: DAY_MS,
    } as const;
    const persisting = persist({ log, store: dying, ...options, signal: stop.signal });
    const done = persisting.finally(() => log[Symbol.asyncDispose]());
    return { done, stop };
  };

  const before = live(async (written, act) => {
    if (written >= 3_000) throw new Error('killed before the write');
    await act();
  });
  await before.done;
  const between = live(async (written, act) => {
    await act();
    if (written >= 3_000) throw new Error('killed after the write, before the commit');
  });
  await between.done;
  const { done, stop } = live((_, act) => act());
  const wanted = SHAPE.trades / SHAPE.symbols;
  const countOf = async (symbol: string) =>
    (
      await store.trades.read({
        symbol: marketSymbol(symbol),
        limit: 10 * wanted,
        take: 'first',
      })
    ).length;
  const isThere = async (symbol: string) =>
    (await countOf(symbol)) >= wanted &&
    (await store.lastOpenTime(marketSymbol(symbol), '1m')) !== undefined;
  const deadline = performance.now() + WAIT_MS_MAX;
  for (const symbol of SYMBOLS) {
    while (!(await isThere(symbol)) && performance.now() < deadline) await systemClock.sleep(50);
  }
  stop.abort();
  await done;
  for (const [index, symbol] of SYMBOLS.entries()) {
    const query = { symbol: marketSymbol(symbol), limit: 10 * wanted, take: 'first' } as const;
    const kept = await store.trades.read(query);
    assert.deepEqual(
      kept.map(({ aggTradeId, tradeTime }) => [aggTradeId, tradeTime]),
      tradesOf(SHAPE, index).map(({ a, T }) => [a, T]),
      symbol,
    );
    assert.equal(await store.lastOpenTime(marketSymbol(symbol), '1m'), OPEN_TIME);
  }
});

// What every CandleStore must do with trades, run against each adapter: each once, exact (I3), all or none with the candles beside them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { AggTrade } from '../../src/core/market/agg-trade.ts';
import { epochMs } from '../../src/core/market/time.ts';
import type { CandleStore } from '../../src/store/candle-store.ts';
import {
  assertOutOfRange,
  BTCUSDT,
  candleAt,
  DAY_START,
  ETHUSDT,
  type MakeCandleStore,
  read,
} from './candle-store-contract.ts';

/** A trade with `aggTradeId` = `id`, a second after that of the id before; `changes` on top. */
export function tradeAt(id: number, changes: Partial<AggTrade> = {}): AggTrade {
  const tradeTime = changes.tradeTime ?? epochMs(DAY_START + id * 1_000);
  return {
    symbol: BTCUSDT,
    aggTradeId: id,
    priceInteger: 87_648 + id,
    priceFraction: 21_000_000,
    quantityInteger: 0,
    quantityFraction: 123_000,
    firstTradeId: 10 * id,
    lastTradeId: 10 * id + 2,
    tradeTime,
    eventTime: tradeTime,
    buyerIsMaker: id % 2 === 0,
    ...changes,
  };
}

/** What an id has that is used up by no trade. */
export const NO_TRADE = {
  ...{ priceInteger: 0, priceFraction: 0, quantityInteger: 0, quantityFraction: 0 },
  ...{ firstTradeId: -1, lastTradeId: -1 },
} as const;

function readTrades(
  store: CandleStore,
  query: Partial<Parameters<CandleStore['trades']['read']>[0]> = {},
): Promise<readonly AggTrade[]> {
  return store.trades.read({ symbol: BTCUSDT, limit: 1_000, take: 'first', ...query });
}

export function tradeStoreContract(name: string, makeStore: MakeCandleStore): void {
  describe(`${name} keeps trades`, () => tradeContract(makeStore));
}

function tradeContract(makeStore: MakeCandleStore): void {
  const test = (fact: string, run: (store: CandleStore) => Promise<void>) =>
    it(fact, async () => {
      await using store = await makeStore();
      await run(store);
    });
  const trades = [0, 1, 2, 3, 4].map((id) => tradeAt(id));

  test('is empty at first, and makes no symbol of candles', async (store) => {
    assert.deepEqual(await readTrades(store), []);
    assert.equal(await store.trades.idAt(BTCUSDT, DAY_START, 'from'), undefined);
    await store.write([], trades);
    assert.deepEqual(await store.symbols(), []);
  });

  test('gives back every field but the event time, each once, beside candles', async (store) => {
    const other = tradeAt(1, { symbol: ETHUSDT, priceInteger: 3_000 });
    await store.write([candleAt(0)], [tradeAt(2), other, tradeAt(0)]);
    await store.write([candleAt(1)], [...trades, ...trades]);
    const late = tradeAt(3, { priceInteger: 1, eventTime: epochMs(DAY_START + 9_000) });
    await store.write([], [late, tradeAt(4)]);
    assert.deepEqual(await readTrades(store), trades);
    assert.deepEqual(await readTrades(store, { symbol: ETHUSDT }), [other]);
    assert.deepEqual(await read(store), [candleAt(0), candleAt(1)]);
  });

  test('answers a range of ids from either end, and ids by time', async (store) => {
    await store.write([], trades);
    const idsOf = async (query: Parameters<typeof readTrades>[1]) =>
      (await readTrades(store, query)).map(({ aggTradeId }) => aggTradeId);
    assert.deepEqual(await idsOf({ fromId: 1, toId: 3 }), [1, 2, 3]);
    assert.deepEqual(await idsOf({ fromId: 1, limit: 2 }), [1, 2]);
    assert.deepEqual(await idsOf({ toId: 3, limit: 2, take: 'last' }), [2, 3]);
    assert.deepEqual(await idsOf({ fromId: 9 }), []);
    const at = (ms: number, side: 'from' | 'to') =>
      store.trades.idAt(BTCUSDT, epochMs(DAY_START + ms), side);
    assert.deepEqual(
      [await at(0, 'from'), await at(1_001, 'from'), await at(4_000, 'from')],
      [0, 2, 4],
    );
    assert.equal(await at(4_001, 'from'), undefined);
    assert.deepEqual([await at(0, 'to'), await at(999, 'to'), await at(9_000, 'to')], [0, 0, 4]);
    assert.equal(await store.trades.idAt(BTCUSDT, epochMs(DAY_START - 1), 'to'), undefined);
  });

  test('keeps every digit of a price and a quantity, whatever came before (I3)', async (store) => {
    const fraction = fc.integer({ min: 0, max: 99_999_999 });
    const whole = fc.integer({ min: 0, max: 90_000_000_000 });
    const amounts = fc.array(fc.tuple(whole, fraction, whole, fraction), { minLength: 1 });
    let id = 0;
    await fc.assert(
      fc.asyncProperty(amounts, async (given) => {
        const first = id;
        const written = given.map(([price, priceFraction, quantity, quantityFraction]) =>
          tradeAt(id++, {
            priceInteger: price,
            priceFraction,
            quantityInteger: quantity,
            quantityFraction,
          }),
        );
        await store.write([], written);
        assert.deepEqual(await readTrades(store, { fromId: first }), written);
      }),
      { numRuns: 30 },
    );
  });

  test('keeps the place of an id without a trade, until it has one', async (store) => {
    const none = tradeAt(1, NO_TRADE);
    await store.write([], [tradeAt(0), none, tradeAt(2)]);
    await store.write([], [tradeAt(2, NO_TRADE)]);
    assert.deepEqual(await readTrades(store), [tradeAt(0), none, tradeAt(2)]);
    await store.write([], [tradeAt(1)]);
    assert.deepEqual(await readTrades(store), trades.slice(0, 3));
  });

  test('writes all of a batch or none (a trade out of range)', async (store) => {
    const wide = tradeAt(7, { priceInteger: 999_999_999_999_999, priceFraction: 99_999_999 });
    await assert.rejects(store.write([candleAt(0)], [tradeAt(0), wide]), (error) => {
      assertOutOfRange(error, BTCUSDT, 'price', '999999999999999.99999999');
      return true;
    });
    assert.deepEqual([await readTrades(store), await read(store)], [[], []]);
  });

  test('removes what is older than a time, in parts, of one symbol or of all', async (store) => {
    // Days apart, as a store may drop by whole chunks only.
    const dayApart = (id: number, symbol = BTCUSDT) =>
      tradeAt(id, { symbol, tradeTime: epochMs(DAY_START + id * 86_400_000) });
    const all = [0, 1, 2, 3].map((id) => dayApart(id));
    await store.write([], [...all, dayApart(0, ETHUSDT)]);
    const before = epochMs(DAY_START + 2 * 86_400_000);
    assert.equal(await store.trades.prune({ symbol: ETHUSDT, before, limit: 10 }), 1);
    assert.deepEqual(await readTrades(store), all);
    let pruned = 0;
    for (let parts = 0; pruned < 2 && parts < 3; parts++) {
      pruned += await store.trades.prune({ before, limit: 1 });
    }
    assert.equal(pruned, 2);
    assert.equal(await store.trades.prune({ before, limit: 1 }), 0);
    assert.deepEqual(await readTrades(store), all.slice(2));
  });
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_TRADE } from '../../../test/contracts/trade-store-contract.ts';
import type { AggTrade } from '../../core/market/agg-trade.ts';
import { decimal } from '../../core/market/decimal.ts';
import { epochMs } from '../../core/market/time.ts';
import {
  aCandle,
  aLiveCandle,
  aTrade,
  minute,
  NEW_YEAR,
} from '../../stages/serve/testing/market-fixtures.ts';
import { type TestServer, testServer } from '../testing/test-server.ts';

const get = async (test: TestServer, path: string) => {
  const response = await test.server.app.inject(path);
  return { status: response.statusCode, body: response.json() };
};

describe('/api/v1/trades', () => {
  /** 10 to 19 in the store, 18 to 22 in memory, as a moment before the store has them. */
  async function withTrades(): Promise<TestServer> {
    const test = await testServer();
    await test.store.write([], range(10, 19));
    for (const trade of range(18, 22)) test.market.applyTrade(trade);
    return test;
  }
  const range = (from: number, to: number): AggTrade[] =>
    Array.from({ length: to - from + 1 }, (_, index) => aTrade(from + index));
  const at = (ms: number) => NEW_YEAR + ms;
  const ids = async (test: TestServer, query: string) => {
    const { status, body } = await get(test, `/api/v1/trades?symbol=BTCUSDT${query}`);
    return status === 200 ? body.trades.map(({ a }: { a: number }) => a) : body.error.code;
  };

  it('answers as the exchange’s aggTrades, from the store and the newest in memory', async () => {
    await using test = await withTrades();
    const { body } = await get(test, '/api/v1/trades?symbol=BTCUSDT&fromId=12&limit=1');
    assert.deepEqual(body, {
      source: { kind: 'simulated', id: 'simulated:7', label: 'Simulated market, seed 7' },
      symbol: 'BTCUSDT',
      trades: [
        ...[{ a: 12, p: '90000.10000000', q: '0.05000000', f: 24, l: 25 }].map((trade) => ({
          ...trade,
          ...{ T: at(12), m: true, M: true },
        })),
      ],
    });
    assert.deepEqual(await ids(test, '&fromId=17'), [17, 18, 19, 20, 21, 22]);
    assert.deepEqual(await ids(test, '&fromId=19&limit=2'), [19, 20]);
    assert.deepEqual(await ids(test, '&fromId=23'), []);
    assert.deepEqual(await ids(test, `&startTime=${at(11)}&endTime=${at(13)}`), [11, 12, 13]);
    assert.deepEqual(await ids(test, `&startTime=${at(17)}&limit=3`), [17, 18, 19]);
    assert.deepEqual(await ids(test, `&endTime=${at(13)}&limit=2`), [12, 13]);
    assert.deepEqual(await ids(test, `&endTime=${at(19)}&limit=4`), [16, 17, 18, 19]);
    assert.deepEqual(await ids(test, '&limit=7'), [16, 17, 18, 19, 20, 21, 22]);
  });

  it('serves them on Binance’s path, too', async () => {
    await using test = await withTrades();
    const { body } = await get(test, '/api/v3/aggTrades?symbol=BTCUSDT&fromId=11&limit=3');
    assert.deepEqual(
      body.map(({ a }: { a: number }) => a),
      [11, 12, 13],
    );
    const refused = await get(test, '/api/v3/aggTrades?symbol=BTCUSDT&fromId=9');
    assert.match(refused.body.msg, /the oldest trade kept here is 10 of/);
  });

  it('never answers a page with a hole', async () => {
    await using test = await testServer();
    await test.store.write([], [...range(10, 14), ...range(20, 24)]);
    for (const trade of range(40, 41)) test.market.applyTrade(trade);
    assert.deepEqual(await ids(test, '&fromId=12'), [12, 13, 14], 'up to the hole');
    assert.equal(await ids(test, '&fromId=16'), 'not-kept', 'in the hole');
    assert.equal(await ids(test, '&fromId=9'), 'not-kept');
    assert.equal(
      await ids(test, `&startTime=${at(10)}`),
      'not-kept',
      'older ones of then may be gone',
    );
    assert.equal(await ids(test, `&startTime=${at(16)}`), 'not-kept', 'in the hole');
    assert.deepEqual(await ids(test, `&startTime=${at(21)}`), [21, 22, 23, 24]);
    assert.deepEqual(await ids(test, `&endTime=${at(22)}`), [20, 21, 22], 'down to the hole');
    assert.equal(await ids(test, `&endTime=${at(16)}`), 'not-kept', 'in the hole');
    assert.equal(await ids(test, `&endTime=${at(9)}`), 'not-kept');
    assert.deepEqual(await ids(test, ''), [40, 41]);
  });

  it('takes an id without a trade for no hole, and for no trade', async () => {
    await using test = await testServer();
    await test.store.write([], [...range(10, 12), aTrade(13, NO_TRADE), ...range(14, 19)]);
    assert.deepEqual(await ids(test, '&fromId=12&limit=3'), [12, 14, 15]);
    assert.deepEqual(await ids(test, '&fromId=13&limit=1'), [14]);
    assert.deepEqual(await ids(test, `&endTime=${at(14)}&limit=3`), [12, 14]);
  });

  it('says what is missing or wrong', async () => {
    await using test = await testServer();
    for (const [query, status, message] of [
      ['symbol=BTCUSDT', 404, /none is kept here: start with --keep-trades/],
      ['symbol=BTCUSDT&fromId=1&startTime=2', 400, /fromId or times, not both/],
      ['symbol=BTCUSDT&limit=1001', 400, /"limit"/],
      ['symbol=DOGEUSDT', 404, /No trades of "DOGEUSDT"/],
    ] as const) {
      const { status: got, body } = await get(test, `/api/v1/trades?${query}`);
      assert.equal(got, status, query);
      assert.match(body.error.message, message);
    }
  });
});

describe('/api/v1/trades/explain', () => {
  const trade = (id: number, ms: number, price: number): AggTrade =>
    aTrade(id, { priceInteger: price, priceFraction: 0, tradeTime: epochMs(NEW_YEAR + ms) });
  /** Two minutes: 100 103 99 101 · 101 104 98. */
  const TRADES = [
    ...[trade(10, -5, 50), trade(11, 1_000, 100), trade(12, 2_000, 103), trade(13, 3_000, 99)],
    ...[trade(14, 4_000, 103), trade(15, 59_999, 101)],
    ...[trade(16, 60_000, 101), trade(17, 61_000, 104), trade(18, 62_000, 98)],
  ];
  const prices = (open: number, high: number, low: number, close: number) => ({
    ...{ open: decimal(`${open}`), high: decimal(`${high}`) },
    ...{ low: decimal(`${low}`), close: decimal(`${close}`) },
  });
  const FIRST = aCandle(minute(0), {
    ...prices(100, 103, 99, 101),
    firstTradeId: 22,
    lastTradeId: 31,
  });
  const SECOND = aCandle(minute(1), {
    ...prices(101, 104, 98, 98),
    firstTradeId: 32,
    lastTradeId: 37,
  });
  const explain = async (test: TestServer, interval = '1m', openTime: number = minute(0)) => {
    const query = `symbol=BTCUSDT&interval=${interval}&openTime=${openTime}`;
    const { body } = await get(test, `/api/v1/trades/explain?${query}`);
    const { open, high, low, close } = body;
    return { ids: [open, high, low, close].map((one) => one?.a ?? null), complete: body.complete };
  };

  it('names the trades that made a minute: of equal prices the first', async () => {
    await using test = await testServer();
    await test.store.write([FIRST], TRADES);
    assert.deepEqual(await explain(test), { ids: [11, 12, 13, 15], complete: true });
  });

  it('looks into the minute that made a longer candle', async () => {
    await using test = await testServer();
    const two = prices(100, 104, 98, 98);
    const day = aCandle(minute(0), { interval: '1d', ...two });
    const month = aCandle(minute(0), { interval: '1M', ...two });
    const three = aCandle(minute(0), { interval: '3m', ...two });
    await test.store.write([FIRST, SECOND, three, day, month], TRADES);
    for (const interval of ['3m', '1d', '1M']) {
      const told = await explain(test, interval);
      assert.deepEqual(told, { ids: [11, 17, 18, 18], complete: true }, interval);
    }
  });

  it('explains the open candle by the trades that came last', async () => {
    await using test = await testServer();
    await test.store.write([FIRST], TRADES.slice(0, 7));
    for (const one of TRADES.slice(5)) test.market.applyTrade(one);
    test.market.applyLive(aLiveCandle(minute(1), { ...SECOND }));
    assert.deepEqual(await explain(test, '1m', minute(1)), {
      ids: [16, 17, 18, 18],
      complete: true,
    });
  });

  it('names none that has not the candle’s price, and says when some are not kept', async () => {
    await using test = await testServer();
    await test.store.write([FIRST, SECOND], TRADES.toSpliced(2, 2));
    assert.deepEqual(await explain(test), { ids: [11, 14, null, 15], complete: false });
    assert.deepEqual(await explain(test, '1m', minute(1)), {
      ids: [16, 17, 18, 18],
      complete: true,
    });
  });

  it('has nothing to say of a candle from before trades were kept, or without a trade', async () => {
    await using test = await testServer();
    const flat = aCandle(minute(2), {
      ...prices(98, 98, 98, 98),
      trades: 0,
      firstTradeId: -1,
      lastTradeId: -1,
    });
    await test.store.write([aCandle(minute(-9)), flat], TRADES);
    const nothing = { ids: [null, null, null, null], complete: false };
    assert.deepEqual(await explain(test, '1m', minute(-9)), nothing);
    assert.deepEqual(await explain(test, '1m', minute(2)), nothing);
    const { status, body } = await get(
      test,
      `/api/v1/trades/explain?symbol=BTCUSDT&interval=1m&openTime=${minute(7)}`,
    );
    assert.equal(status, 404);
    assert.match(body.error.message, /No 1m candle of BTCUSDT opens at/);
  });
});

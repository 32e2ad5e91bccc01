import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { decimal } from '../../core/market/decimal.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import {
  aCandle,
  aLiveCandle,
  aTrade,
  BTCUSDT,
  liveStatus,
  minute,
} from '../../stages/serve/testing/market-fixtures.ts';
import { sharedData } from '../testing/shared-data.ts';
import { type TestServer, testServer } from '../testing/test-server.ts';
import { assetsOf } from './exchange-info.ts';

type KlineRow = [
  openTime: number,
  open: string,
  high: string,
  low: string,
  close: string,
  volume: string,
  closeTime: number,
  quoteVolume: string,
  trades: number,
  takerBuyVolume: string,
  takerBuyQuoteVolume: string,
  ignore: string,
];

async function get(test: TestServer, path: string) {
  return test.server.app.inject(`/api/v3/${path}`);
}

async function openTimes(test: TestServer, query: string): Promise<number[]> {
  const response = await get(test, `klines?symbol=BTCUSDT&interval=1m${query}`);
  assert.equal(response.statusCode, 200, response.body);
  return response.json().map((row: KlineRow) => (row[0] - minute(0)) / 60_000);
}

async function withMinutes(): Promise<TestServer> {
  const test = await testServer();
  await test.store.write([0, 1, 2, 3].map((index) => aCandle(minute(index))));
  test.market.applyClosed(aCandle(minute(4)));
  test.market.applyLive(aLiveCandle(minute(5)));
  return test;
}

describe('GET /api/v3/klines', () => {
  const real = sharedData('rest/klines_BTCUSDT_1m_20200506.json', process.env);
  it('gives real rows back as the exchange wrote them', { skip: real.skip }, async () => {
    const rows: readonly KlineRow[] = JSON.parse(await readFile(real.path, 'utf8')).data;
    await using test = await testServer();
    await test.store.write(
      rows.map((row) =>
        aCandle(row[0], {
          open: decimal(row[1]),
          high: decimal(row[2]),
          low: decimal(row[3]),
          close: decimal(row[4]),
          volume: decimal(row[5]),
          quoteVolume: decimal(row[7]),
          trades: row[8],
          takerBuyVolume: decimal(row[9]),
          takerBuyQuoteVolume: decimal(row[10]),
        }),
      ),
    );
    const response = await get(test, 'klines?symbol=BTCUSDT&interval=1m');
    assert.equal(response.body, JSON.stringify(rows));
    assert.equal(response.headers['content-type'], 'application/json;charset=UTF-8');
  });

  it('follows the exchange’s rule of bounds, the open candle last', async () => {
    await using test = await withMinutes();
    assert.deepEqual(await openTimes(test, ''), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(await openTimes(test, '&limit=2'), [4, 5], 'the newest');
    assert.deepEqual(
      await openTimes(test, `&startTime=${minute(1)}&limit=2`),
      [1, 2],
      'the oldest',
    );
    assert.deepEqual(await openTimes(test, `&startTime=${minute(1) + 1}&limit=2`), [2, 3]);
    assert.deepEqual(await openTimes(test, `&endTime=${minute(4) + 59_999}&limit=2`), [3, 4]);
    const both = `&startTime=${minute(3)}&endTime=${minute(4)}`;
    assert.deepEqual(await openTimes(test, both), [3, 4]);
    assert.deepEqual(await openTimes(test, `&startTime=${minute(9)}`), []);
    assert.deepEqual(await openTimes(test, '&limit=5000'), [0, 1, 2, 3, 4, 5], 'cut, not refused');
    const micro = `&startTime=${minute(4)}000&endTime=${minute(5)}999`;
    assert.deepEqual(await openTimes(test, micro), [4, 5]);
    assert.deepEqual(await openTimes(test, '&timeZone=0&limit=1'), [5]);
  });

  it('answers uiKlines alike', async () => {
    await using test = await withMinutes();
    const query = 'symbol=BTCUSDT&interval=1m';
    assert.equal(
      (await get(test, `uiKlines?${query}`)).body,
      (await get(test, `klines?${query}`)).body,
    );
  });

  it('refuses with the exchange’s codes and words', async () => {
    await using test = await withMinutes();
    for (const [query, code, msg] of [
      [
        'interval=1m',
        -1102,
        "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
      ],
      [
        'symbol=BTCUSDT',
        -1102,
        "Mandatory parameter 'interval' was not sent, was empty/null, or malformed.",
      ],
      ['symbol=&interval=1m', -1105, "Parameter 'symbol' was empty."],
      [
        'symbol=btcusdt&interval=1m',
        -1100,
        "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'.",
      ],
      ['symbol=DOGEUSDT&interval=1m', -1121, 'Invalid symbol.'],
      ['symbol=BTCUSDT&interval=1M5', -1120, 'Invalid interval.'],
      [
        'symbol=BTCUSDT&interval=1m&limit=None',
        -1100,
        "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.",
      ],
      [
        'symbol=BTCUSDT&interval=1m&limit=0',
        -1130,
        "Data sent for parameter 'limit' is not valid.",
      ],
      [
        'symbol=BTCUSDT&interval=1m&startTime=99999999999999999999',
        -1130,
        "Data sent for parameter 'startTime' is not valid.",
      ],
      [
        'symbol=BTCUSDT&interval=1m&timeZone=8',
        -1130,
        "Data sent for parameter 'timeZone' is not valid. Only 0 (UTC) is offered here.",
      ],
      [
        'symbol=BTCUSDT&interval=1m&start_time=1',
        -1104,
        "Not all sent parameters were read; read '2' parameter(s) but was sent '3'.",
      ],
      [
        'symbol=BTCUSDT&symbol=ETHUSDT&interval=1m',
        -1101,
        'Duplicate values for a parameter detected.',
      ],
    ] as const) {
      const response = await get(test, `klines?${query}`);
      assert.equal(response.statusCode, 400, query);
      assert.equal(response.body, JSON.stringify({ code, msg }));
    }
  });

  it('answers -1000 where the store fails, and tells no more', async () => {
    await using test = await withMinutes();
    test.store.beforeRead = () => Promise.reject(new Error('secret path'));
    const response = await get(test, 'klines?symbol=BTCUSDT&interval=1m');
    assert.equal(response.statusCode, 500);
    assert.equal(response.json().code, -1000);
    assert.doesNotMatch(response.body, /secret/);
  });
});

describe('GET /api/v3/aggTrades', () => {
  async function withTrades(): Promise<TestServer> {
    const test = await testServer();
    for (let id = 100; id < 110; id += 1) test.market.applyTrade(aTrade(id));
    return test;
  }
  async function ids(test: TestServer, query: string): Promise<number[]> {
    const response = await get(test, `aggTrades?symbol=BTCUSDT${query}`);
    assert.equal(response.statusCode, 200, response.body);
    return response.json().map((trade: { a: number }) => trade.a);
  }

  it('writes a trade as the exchange does', async () => {
    await using test = await withTrades();
    const { body } = await get(test, 'aggTrades?symbol=BTCUSDT&limit=1');
    assert.equal(
      body,
      `[{"a":109,"p":"90000.10000000","q":"0.05000000","f":218,"l":219,"T":${minute(0) + 109},"m":false,"M":true}]`,
    );
  });

  it('follows the exchange’s rule of bounds', async () => {
    await using test = await withTrades();
    assert.deepEqual(await ids(test, '&limit=2'), [108, 109]);
    assert.deepEqual(await ids(test, '&fromId=104&limit=2'), [104, 105]);
    assert.deepEqual(await ids(test, '&fromId=110'), []);
    assert.deepEqual(await ids(test, `&startTime=${minute(0) + 107}`), [107, 108, 109]);
    assert.deepEqual(await ids(test, `&startTime=${minute(0) + 107}&limit=1`), [107]);
    assert.deepEqual(await ids(test, `&endTime=${minute(0) + 103}&limit=2`), [102, 103]);
    const both = `&startTime=${minute(0) + 102}&endTime=${minute(0) + 103}`;
    assert.deepEqual(await ids(test, both), [102, 103]);
  });

  it('refuses what it does not keep, instead of an empty page', async () => {
    await using test = await withTrades();
    for (const [query, code] of [
      ['&fromId=99', -1130],
      [`&startTime=${minute(0) + 100}`, -1130],
      [`&endTime=${minute(0) + 99}`, -1130],
      [`&fromId=104&startTime=${minute(0)}`, -1128],
    ] as const) {
      const response = await get(test, `aggTrades?symbol=BTCUSDT${query}`);
      assert.equal(response.statusCode, 400, query);
      assert.equal(response.json().code, code, query);
    }
    const { msg } = (await get(test, 'aggTrades?symbol=BTCUSDT&fromId=99')).json();
    assert.match(msg, /the oldest trade kept here is 100/);
    assert.equal((await get(test, 'aggTrades?symbol=ETHUSDT')).statusCode, 400);
  });
});

describe('the rest of /api/v3', () => {
  it('pings, and tells the exchange’s time', async () => {
    await using test = await testServer();
    test.market.applyStatus(liveStatus(test.clock.now(), { clockOffsetMs: 250 }));
    assert.equal((await get(test, 'ping')).body, '{}');
    assert.equal((await get(test, 'time')).body, `{"serverTime":${test.clock.now() + 250}}`);
    assert.equal((await get(test, 'time?x=1')).json().code, -1101);
  });

  it('lists our symbols with their assets', async () => {
    await using test = await testServer();
    const info = (await get(test, 'exchangeInfo')).json();
    assert.deepEqual(Object.keys(info), [
      'timezone',
      'serverTime',
      'rateLimits',
      'exchangeFilters',
      'symbols',
    ]);
    const [first] = info.symbols;
    assert.deepEqual(
      [first.symbol, first.status, first.baseAsset, first.quoteAsset],
      ['BTCUSDT', 'TRADING', 'BTC', 'USDT'],
    );
    const one = await get(test, 'exchangeInfo?symbol=ETHUSDT');
    assert.equal(one.json().symbols.length, 1);
    const list = encodeURIComponent('["ETHUSDT","BTCUSDT"]');
    assert.equal((await get(test, `exchangeInfo?symbols=${list}`)).json().symbols.length, 2);
    assert.equal((await get(test, 'exchangeInfo?symbols=ETHUSDT')).json().code, -1100);
    assert.equal((await get(test, 'exchangeInfo?symbol=DOGEUSDT')).json().code, -1121);
  });

  const real = sharedData('rest/exchangeInfo.json', process.env);
  it('splits real symbols as the exchange does', { skip: real.skip }, async () => {
    const { data } = JSON.parse(await readFile(real.path, 'utf8'));
    for (const { symbol, baseAsset, quoteAsset } of data.symbols) {
      assert.deepEqual(assetsOf(marketSymbol(symbol)), { baseAsset, quoteAsset });
    }
  });

  it('counts weight by minute, and refuses with 429 and when to come again', async () => {
    await using test = await testServer();
    const first = await get(test, 'klines?symbol=BTCUSDT&interval=1m');
    assert.equal(first.headers['x-mbx-used-weight-1m'], '2');
    for (let count = 0; count < 299; count += 1) await get(test, 'exchangeInfo');
    await test.clock.advance(10_000);
    const last = await get(test, 'exchangeInfo');
    assert.equal(last.statusCode, 429);
    assert.equal(last.headers['retry-after'], '50');
    assert.equal(last.json().code, -1003);
    await test.clock.advance(50_000);
    const next = await get(test, 'ping');
    assert.equal(next.headers['x-mbx-used-weight-1m'], '1');
  });

  it('says what it does not offer', async () => {
    await using test = await testServer();
    const response = await get(test, 'depth?symbol=BTCUSDT');
    assert.equal(response.statusCode, 404);
    assert.equal(response.json().code, -1020);
    assert.equal(response.headers['x-wickstream-source'], 'simulated:7');
    const micro = await test.server.app.inject({
      url: '/api/v3/time',
      headers: { 'x-mbx-time-unit': 'MICROSECOND' },
    });
    assert.equal(micro.json().code, -1194);
    assert.deepEqual(test.market.recentTrades(BTCUSDT), []);
  });
});

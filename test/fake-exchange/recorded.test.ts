// The fake against the real exchange: its candles, its answers, its frames.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR, MINUTE, nextOpenTime } from './calendar.ts';
import { manualClock } from './clock.ts';
import { createFakeExchange } from './fake-exchange.ts';
import { aggTradeEvent, combinedText, klineEvent } from './frames.ts';
import { createMarket } from './market.ts';
import {
  recordedAnswer,
  recordedBtcHours,
  recordedBtcMinutes,
  recordedBtcQuarters,
  recordedBtcTrades,
  recordedFrames,
  recordedTrxKlines,
  recordedTrxTrades,
  rowToCandle,
  skipWithoutData,
} from './recorded.ts';
import { answerRest } from './rest.ts';
import { createRequestLimiter } from './rest-limits.ts';
import { type AggTrade, type TruthCandle, truthCandles } from './truth.ts';

const skip = skipWithoutData();

/** Real data a test cannot do without. */
function there<T>(value: T | undefined): T {
  assert(value !== undefined, 'Expected ../shared/data, was not there');
  return value;
}

function withoutIds(candle: TruthCandle): TruthCandle {
  return { ...candle, firstTradeId: -1, lastTradeId: -1 };
}

test("the truth of eight minutes of real trades is the exchange's own", { skip }, () => {
  const candles = truthCandles(there(recordedTrxTrades()), '1m');
  assert.deepEqual(candles.map(withoutIds), there(recordedTrxKlines()));
});

test('the market folds real trades to the truth, 1s and 1m and up', { skip }, () => {
  const trades = there(recordedBtcTrades());
  const market = createMarket([{ symbol: 'BTCUSDT', trades }]);
  const asOf = trades.at(-1)?.T ?? 0;
  for (const interval of ['1s', '1m', '3m', '1h', '3d', '1w', '1M'] as const) {
    const anchor = trades[0]?.T ?? 0;
    const candles = market.candles('BTCUSDT', interval, { startTime: 0, limit: 1e6 }, asOf);
    assert.deepEqual(candles, truthCandles(trades, interval, { anchor }), interval);
  }
});

test("a week of real minutes joins to the exchange's quarters of an hour", { skip }, () => {
  const quarters = there(recordedBtcQuarters('2025-07-28'));
  const [from, end] = [quarters[0]?.openTime ?? 0, (quarters.at(-1)?.closeTime ?? 0) + 1];
  const minutes = [
    ...there(recordedBtcMinutes('2025-07', from, end)),
    ...there(recordedBtcMinutes('2025-08', from, end)),
  ];
  const market = createMarket([{ symbol: 'BTCUSDT', klines: { '1m': minutes } }]);
  const joined = market.candles('BTCUSDT', '15m', { startTime: from, limit: 1e6 }, end - 1);
  assert.deepEqual(joined, quarters);
});

test('the outage of 2023-03-24 is missing as on the exchange', { skip }, () => {
  const [from, to] = [Date.UTC(2023, 2, 24), Date.UTC(2023, 2, 25)];
  const ofDay = ({ openTime }: TruthCandle) => openTime >= from && openTime < to;
  const minutes = there(recordedBtcMinutes('2023-03', from, to));
  const market = createMarket([{ symbol: 'BTCUSDT', klines: { '1m': minutes } }]);
  const hours = market.candles('BTCUSDT', '1h', { startTime: from, limit: 24 }, to - 1);
  const official = there(recordedBtcHours()).filter(ofDay);
  assert.equal(hours.length, 23);
  // The exchange closed the hour of 12:00 with the moment it went down, not with the hour's end.
  const cut = official.findIndex(({ closeTime }) => closeTime % 1_000 !== 999);
  assert.equal(official[cut]?.openTime, from + 12 * HOUR);
  const closeTime = from + 13 * HOUR - 1;
  assert.deepEqual(hours, official.with(cut, { ...there(official[cut]), closeTime }));

  market.addKlines('BTCUSDT', '1h', official);
  assert.deepEqual(
    market.candles('BTCUSDT', '1h', { startTime: from, limit: 24 }, to - 1),
    official,
  );
});

function restTrades(): AggTrade[] {
  const { data } = there(recordedAnswer('aggTrades_BTCUSDT_fromId_202790190'));
  return data as AggTrade[];
}

function ask(market: ReturnType<typeof createMarket>, path: string, query: string, now: number) {
  const limiter = createRequestLimiter();
  const context = { market, now, asOf: now, limiter, limiterNow: now };
  return answerRest({ path, query: new URLSearchParams(query) }, context);
}

test('aggTrades by fromId are the real rows, in the real key order', { skip }, () => {
  const trades = restTrades();
  const market = createMarket([{ symbol: 'BTCUSDT', trades }]);
  const { path, query } = there(recordedAnswer('aggTrades_BTCUSDT_fromId_202790190'));
  const rows = trades.map(({ a, p, q, f, l, T, m }) => ({ a, p, q, f, l, T, m, M: true }));
  const now = Date.UTC(2020, 1, 1);
  assert.equal(ask(market, path, query, now).body, JSON.stringify(rows));

  const [from, until] = [trades[400], trades[500]];
  assert(from && until);
  const inside = rows.filter(({ T }) => T >= from.T && T <= until.T);
  const range = `symbol=BTCUSDT&startTime=${from.T}&endTime=${until.T}`;
  assert.equal(ask(market, path, range, now).body, JSON.stringify(inside));
  const latest = ask(market, path, 'symbol=BTCUSDT&limit=3', now);
  assert.equal(latest.body, JSON.stringify(rows.slice(-3)));
  const upTo = ask(market, path, `symbol=BTCUSDT&limit=2&endTime=${trades[9]?.T}`, now);
  assert.deepEqual(JSON.parse(upTo.body), rows.slice(8, 10));
});

for (const name of ['klines_BTCUSDT_1h_2020a', 'klines_BTCUSDT_1m_20200506']) {
  test(`${name}: the same query gives the same bytes`, { skip }, () => {
    const { path, query, data } = there(recordedAnswer(name));
    const interval = name.includes('_1h_') ? '1h' : '1m';
    const klines = { [interval]: (data as (string | number)[][]).map(rowToCandle) };
    const market = createMarket([{ symbol: 'BTCUSDT', klines }]);
    assert.equal(ask(market, path, query, Date.UTC(2021, 0)).body, JSON.stringify(data));
  });
}

/** Keys and types, in order, at all depths; not the values. */
function shape(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([key, inner]) => [key, shape(inner)]);
}

test('aggTrade and kline frames are the real ones, byte for byte', { skip }, () => {
  let seen = 0;
  for (const text of [
    ...there(recordedFrames('BINANCE')),
    ...there(recordedFrames('BINANCE_US')),
  ]) {
    const { stream, data } = JSON.parse(text);
    if (data?.e === 'aggTrade') {
      assert.equal(combinedText(stream, aggTradeEvent(data.s, data, data.E)), text);
      seen += 1;
    }
    if (data?.e === 'kline') {
      const { k } = data;
      const candle = {
        openTime: k.t,
        closeTime: nextOpenTime('1m', k.t) - 1,
        open: k.o,
        high: k.h,
        low: k.l,
        close: k.c,
        volume: k.v,
        quoteVolume: k.q,
        trades: k.n,
        takerBuyVolume: k.V,
        takerBuyQuoteVolume: k.Q,
        firstTradeId: k.f,
        lastTradeId: k.L,
      };
      assert.equal(combinedText(stream, klineEvent(data.s, '1m', candle, k.x, data.E)), text);
      seen += 1;
    }
  }
  assert(seen >= 20, `Expected frames to compare, had ${seen}`);
});

test("exchangeInfo has the real answer's keys and types", { skip }, () => {
  const real = there(recordedAnswer('exchangeInfo')).data as Record<string, unknown>;
  const market = createMarket([{ symbol: 'BTCUSDT' }]);
  const ours = JSON.parse(ask(market, '/api/v3/exchangeInfo', '', 1).body);
  assert.deepEqual(Object.keys(ours).sort(), Object.keys(real).sort());
  const symbols = real['symbols'] as Record<string, unknown>[];
  const realSymbol = there(symbols.find((each) => each['symbol'] === 'BTCUSDT'));
  assert.deepEqual(Object.keys(ours.symbols[0]).sort(), Object.keys(realSymbol).sort());
  const filter = (of: Record<string, unknown>) =>
    (of['filters'] as Record<string, unknown>[]).filter(({ filterType }) =>
      ['PRICE_FILTER', 'LOT_SIZE'].includes(String(filterType)),
    );
  const sorted = (rows: Record<string, unknown>[]) =>
    rows.map((row) => shape(Object.fromEntries(Object.entries(row).sort())));
  assert.deepEqual(sorted(filter(ours.symbols[0])), sorted(filter(realSymbol)));
});

test('real trades played over a socket close to the official candles', { skip }, async () => {
  const [trades, klines] = [there(recordedTrxTrades()), there(recordedTrxKlines())];
  const start = klines[0]?.openTime ?? 0;
  await using exchange = await createFakeExchange({
    clock: manualClock(start),
    symbols: [{ symbol: 'TRXUSDT', tickSize: '0.00001000' }],
  });
  await exchange.playAll({ TRXUSDT: trades });
  exchange.advanceTo(start + 8 * MINUTE);
  const query = `symbol=TRXUSDT&interval=1m&endTime=${start + 8 * MINUTE - 1}`;
  const response = await fetch(`${exchange.restUrl}/api/v3/klines?${query}`);
  const rows = (await response.json()) as (string | number)[][];
  assert.deepEqual(rows.map(rowToCandle), klines);
});

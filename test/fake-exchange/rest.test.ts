// REST as a function: error bodies, window rules, weights, bans.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR, MINUTE } from './calendar.ts';
import { generateTrades } from './generate.ts';
import { createMarket } from './market.ts';
import { answerRest } from './rest.ts';
import { createRequestLimiter } from './rest-limits.ts';
import { truthCandles } from './truth.ts';

const START = Date.UTC(2026, 0, 1);
const trades = generateTrades({ seed: 1, from: START, to: START + HOUR, tradesPerSecond: 1 });
const market = createMarket([{ symbol: 'BTCUSDT', trades }]);

function ask(path: string, asOf = START + HOUR) {
  const url = new URL(path, 'http://exchange');
  const request = { path: url.pathname, query: url.searchParams };
  const limiter = createRequestLimiter();
  const response = answerRest(request, { market, now: asOf, asOf, limiter, limiterNow: asOf });
  return { ...response, json: () => JSON.parse(response.body) };
}

const refused: readonly [path: string, code: number, message: string][] = [
  ['/api/v3/klines?symbol=NOPE&interval=1m', -1121, 'Invalid symbol.'],
  ['/api/v3/klines?symbol=BTCUSDT&interval=7q', -1120, 'Invalid interval.'],
  [
    '/api/v3/klines?symbol=BTCUSDT',
    -1102,
    "Mandatory parameter 'interval' was not sent, was empty/null, or malformed.",
  ],
  ['/api/v3/aggTrades?symbol=', -1105, "Parameter 'symbol' was empty."],
  [
    '/api/v3/aggTrades?symbol=BTC%20USDT',
    -1100,
    "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'.",
  ],
  [
    '/api/v3/aggTrades?symbol=BTCUSDT&fromId=x',
    -1100,
    "Illegal characters found in parameter 'fromId'; legal range is '^[0-9]{1,20}$'.",
  ],
  [
    '/api/v3/aggTrades?symbol=BTCUSDT&fromId=1&startTime=1',
    -1128,
    'Combination of optional parameters invalid.',
  ],
  [
    '/api/v3/aggTrades?symbol=BTCUSDT&limit=0',
    -1130,
    "Data sent for parameter 'limit' is not valid.",
  ],
  [
    '/api/v3/time?a=1',
    -1104,
    "Not all sent parameters were read; read '0' parameter(s) but was sent '1'.",
  ],
];

for (const [path, code, msg] of refused) {
  test(`${path} is refused with ${code}`, () => {
    const response = ask(path);
    assert.equal(response.status, 400);
    assert.equal(response.body, JSON.stringify({ code, msg }));
  });
}

test('an unknown path is a page of HTML with 404', () => {
  const response = ask('/api/v1/klines');
  assert.equal(response.status, 404);
  assert.match(response.body, /^<html>/);
});

test('klines end with the open candle, of what had happened by then', () => {
  const asOf = START + 30 * MINUTE + 20_000;
  const rows = ask('/api/v3/klines?symbol=BTCUSDT&interval=15m', asOf).json();
  const known = trades.filter(({ T }) => T <= asOf);
  const truth = truthCandles(known, '15m', { to: asOf });
  assert.deepEqual(
    rows.map((row: unknown[]) => [row[0], row[4], row[5], row[7]]),
    truth.map((candle) => [candle.openTime, candle.close, candle.volume, candle.quoteVolume]),
  );
});

test('startTime gives the oldest, endTime the newest, both not beyond the end', () => {
  const opens = (query: string) =>
    ask(`/api/v3/klines?symbol=BTCUSDT&interval=1m&${query}`)
      .json()
      .map((row: number[]) => ((row[0] ?? 0) - START) / MINUTE);
  assert.deepEqual(opens(`startTime=${START + 1}&limit=2`), [1, 2]);
  assert.deepEqual(opens(`endTime=${START + 10 * MINUTE}&limit=2`), [9, 10]);
  assert.deepEqual(opens(`startTime=${START}&endTime=${START + MINUTE - 1}`), [0]);
  assert.deepEqual(opens('limit=1'), [60]);
});

test('exchangeInfo takes one symbol, a list or none', () => {
  const symbols = (query: string) => ask(`/api/v3/exchangeInfo${query}`).json().symbols.length;
  assert.equal(symbols(''), 1);
  assert.equal(symbols('?symbol=BTCUSDT'), 1);
  assert.equal(symbols('?symbols=["BTCUSDT"]'), 1);
  assert.equal(ask('/api/v3/exchangeInfo?symbols=["NOPE"]').json().code, -1121);
});

test('over the weight comes 429 with Retry-After, and 418 for who goes on', () => {
  const limiter = createRequestLimiter(10);
  const at = START + 30_000;
  const ping = (now: number) =>
    answerRest(
      { path: '/api/v3/aggTrades', query: new URLSearchParams('symbol=BTCUSDT') },
      { market, now, asOf: now, limiter, limiterNow: now },
    );
  assert.deepEqual([ping(at).status, ping(at).status, ping(at).status], [200, 200, 429]);
  const response = ping(at);
  assert.equal(response.headers['Retry-After'], '30');
  assert.equal(JSON.parse(response.body).code, -1003);
  for (let index = 0; index < 10; index += 1) ping(at);
  assert.equal(ping(at).status, 418);
  assert.equal(ping(at + MINUTE).status, 418);
  assert.equal(ping(at + 2 * MINUTE).status, 200);
});

// The WebSocket protocol: subscriptions, error frames, limits, pings, and the faults' seam.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from './clock.ts';
import { createFakeExchange } from './fake-exchange.ts';
import { doubleFrames, dropFrames, onStreams } from './faults.ts';
import { generateTrades } from './generate.ts';
import { seededRandom } from './random.ts';
import { openClient } from './test-client.ts';

const START = Date.UTC(2026, 0, 1);
const trades = generateTrades({ seed: 2, from: START, to: START + 60_000, tradesPerSecond: 1 });

function exchangeAtStart(options: Parameters<typeof createFakeExchange>[0] = {}) {
  return createFakeExchange({ clock: manualClock(START), ...options });
}

const aggTradeIds = (frames: readonly string[]) =>
  frames.map((text) => JSON.parse(text)).flatMap(({ e, a }) => (e === 'aggTrade' ? [a] : []));

test('streams are subscribed, listed, unsubscribed and wrapped on demand', async () => {
  await using exchange = await exchangeAtStart();
  await using client = await openClient(`${exchange.wsUrl}/ws`);
  const params = ['btcusdt@aggTrade', 'btcusdt@kline_1m'];
  assert.equal(await client.ask({ method: 'SUBSCRIBE', params, id: 1 }), '{"result":null,"id":1}');
  const combined = { method: 'SET_PROPERTY', params: ['combined', true], id: 2 };
  assert.equal(await client.ask(combined), '{"result":null,"id":2}');
  const unsubscribe = { method: 'UNSUBSCRIBE', params: ['btcusdt@kline_1m'], id: 3 };
  assert.equal(await client.ask(unsubscribe), '{"result":null,"id":3}');
  const list = await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 4 });
  assert.equal(list, '{"result":["btcusdt@aggTrade"],"id":4}');
  exchange.publish('BTCUSDT', trades.slice(0, 1));
  await client.frame((text) => text.startsWith('{"stream":"btcusdt@aggTrade","data":{"e":'));
  assert.equal(exchange.connections.subscribers('btcusdt@kline_1m'), 0);
});

test('bad control messages get the error codes of the exchange', async () => {
  await using exchange = await exchangeAtStart();
  await using client = await openClient(`${exchange.wsUrl}/ws`);
  client.socket.send('{');
  assert.equal(JSON.parse((await client.count(1))[0] ?? '').code, 3);
  const code = async (message: Parameters<typeof client.ask>[0]) =>
    JSON.parse(await client.ask(message)).code;
  assert.equal(await code({ method: 'SUBSCRIB', id: 2 }), 2);
  assert.equal(await code({ method: 'SET_PROPERTY', params: ['combined', 1], id: 3 }), 1);
  assert.equal(await code({ method: 'GET_PROPERTY', params: ['other'], id: 4 }), 0);
});

test('an encoded list of streams is understood', async () => {
  await using exchange = await exchangeAtStart();
  const streams = encodeURIComponent('btcusdt@aggTrade/btcusdt@kline_1m');
  await using client = await openClient(`${exchange.wsUrl}/stream?streams=${streams}`);
  await exchange.whenSubscribed('btcusdt@aggTrade', 'btcusdt@kline_1m');
  assert.equal(client.frames.length, 0);
});

test('the sixth message within a second ends the connection and is a breach', async () => {
  await using exchange = await exchangeAtStart();
  const client = await openClient(`${exchange.wsUrl}/ws`);
  for (let id = 1; id <= 6; id += 1)
    client.socket.send(`{"method":"LIST_SUBSCRIPTIONS","id":${id}}`);
  assert.equal(await client.closed, 1008);
  assert.deepEqual(
    exchange.breaches.map(({ type }) => type),
    ['messages'],
  );
});

test('more than 1,024 streams end the connection', async () => {
  await using exchange = await exchangeAtStart();
  const client = await openClient(`${exchange.wsUrl}/ws`);
  const params = Array.from({ length: 1_025 }, (_, index) => `s${index}@aggTrade`);
  client.socket.send(JSON.stringify({ method: 'SUBSCRIBE', params, id: 1 }));
  assert.equal(await client.closed, 1008);
  assert.deepEqual(
    exchange.breaches.map(({ type }) => type),
    ['streams'],
  );
});

test('the 301st attempt within five minutes is refused', async () => {
  await using exchange = await exchangeAtStart({ faults: { onUpgrade: () => 503 } });
  for (let attempt = 1; attempt <= 300; attempt += 1) {
    await assert.rejects(openClient(`${exchange.wsUrl}/ws`), /503/);
  }
  await assert.rejects(openClient(`${exchange.wsUrl}/ws`), /429/);
  exchange.advanceTo(START + 5 * 60_000);
  await assert.rejects(openClient(`${exchange.wsUrl}/ws`), /503/);
  assert.equal(exchange.breaches.length, 1);
});

test('a client that answers no ping is cut after a minute', async () => {
  await using exchange = await exchangeAtStart({ pingIntervalMs: 20_000 });
  const client = await openClient(`${exchange.wsUrl}/ws`);
  const pinged = new Promise((resolve) => client.socket.once('ping', resolve));
  exchange.advanceTo(START + 20_000);
  await pinged;
  client.socket.pause();
  await new Promise((resolve) => setImmediate(resolve));
  exchange.advanceTo(START + 40_000);
  exchange.advanceTo(START + 100_001);
  client.socket.resume();
  assert.equal(await client.closed, 1008);
});

test('a connection is cut when it is 24 hours old', async () => {
  await using exchange = await exchangeAtStart();
  const client = await openClient(`${exchange.wsUrl}/ws`);
  exchange.advanceTo(START + 24 * 3_600_000);
  assert.equal(await client.closed, 1001);
});

test('serverShutdown comes raw and wrapped', async () => {
  await using exchange = await exchangeAtStart();
  await using raw = await openClient(`${exchange.wsUrl}/ws`);
  await using combined = await openClient(`${exchange.wsUrl}/stream`);
  exchange.announceShutdown();
  const event = `{"e":"serverShutdown","E":${START}}`;
  assert.deepEqual(await raw.count(1), [event]);
  assert.deepEqual(await combined.count(1), [`{"stream":"!serverShutdown","data":${event}}`]);
});

test('frames are dropped and doubled by seed, and only where asked', async () => {
  await using exchange = await exchangeAtStart();
  await using client = await openClient(`${exchange.wsUrl}/ws/btcusdt@aggTrade`);
  exchange.faults.onFrame = onStreams(/@kline_/, dropFrames(1, seededRandom(1)));
  exchange.publish('BTCUSDT', trades.slice(0, 2));
  exchange.faults.onFrame = onStreams(/@aggTrade$/, doubleFrames(1, seededRandom(1)));
  exchange.publish('BTCUSDT', trades.slice(2, 3));
  exchange.faults.onFrame = dropFrames(1, seededRandom(1));
  exchange.publish('BTCUSDT', trades.slice(3, 4));
  exchange.faults.onFrame = undefined;
  exchange.publish('BTCUSDT', trades.slice(4, 5));
  assert.deepEqual(aggTradeIds(await client.count(5)), [1, 2, 3, 3, 5]);
});

test('a delayed frame is overtaken and arrives at its time', async () => {
  await using exchange = await exchangeAtStart();
  await using client = await openClient(`${exchange.wsUrl}/ws/btcusdt@aggTrade`);
  exchange.faults.onFrame = (frame) => [{ ...frame, delayMs: 60_000 }];
  exchange.publish('BTCUSDT', trades.slice(0, 1));
  exchange.faults.onFrame = undefined;
  exchange.publish('BTCUSDT', trades.slice(1, 2));
  exchange.advanceTo(START + 120_000);
  assert.deepEqual(aggTradeIds(await client.count(2)), [2, 1]);
});

test('a frozen exchange is silent, loses what it would have sent, and hangs when asked to', async () => {
  await using exchange = await exchangeAtStart();
  await using client = await openClient(`${exchange.wsUrl}/ws/btcusdt@aggTrade`);
  exchange.freeze('everything');
  client.socket.ping();
  client.socket.on('pong', () => assert.fail('Expected no pong while frozen'));
  exchange.publish('BTCUSDT', trades.slice(0, 2));
  const signal = AbortSignal.timeout(50);
  await assert.rejects(fetch(`${exchange.restUrl}/api/v3/ping`, { signal }), {
    name: 'TimeoutError',
  });
  assert.equal(client.frames.length, 0);
  client.socket.removeAllListeners('pong');
  exchange.unfreeze();
  exchange.publish('BTCUSDT', trades.slice(2, 3));
  assert.deepEqual(aggTradeIds(await client.count(1)), [3]);
});

test('REST may lag behind the streams, answer something else, or be banned', async () => {
  await using exchange = await exchangeAtStart();
  const ids = async () => {
    const response = await fetch(`${exchange.restUrl}/api/v3/aggTrades?symbol=BTCUSDT`);
    const rows = (await response.json()) as { a: number }[];
    return rows.map(({ a }) => a);
  };
  exchange.publish('BTCUSDT', trades);
  const last = trades.at(-1);
  const asOf = trades[2]?.T ?? 0;
  exchange.faults.restLagMs = exchange.now() - asOf;
  const known = trades.filter(({ T }) => T <= asOf).map(({ a }) => a);
  assert.deepEqual(await ids(), known);
  exchange.faults.restLagMs = 0;
  assert.equal((await ids()).at(-1), last?.a);
  exchange.faults.onRequest = () => ({ status: 502, headers: {}, body: 'bad gateway' });
  assert.equal((await fetch(`${exchange.restUrl}/api/v3/ping`)).status, 502);
  exchange.faults.onRequest = undefined;
  exchange.ban(60_000);
  assert.equal((await fetch(`${exchange.restUrl}/api/v3/ping`)).status, 418);
  assert.deepEqual(
    exchange.breaches.map(({ type }) => type),
    ['banned'],
  );
  assert.deepEqual(
    exchange.requests.map(({ status }) => status),
    [200, 200, 502, 418],
  );
});

test('queued trades are sent at their time and not before', async () => {
  await using exchange = await exchangeAtStart();
  await using client = await openClient(`${exchange.wsUrl}/ws/btcusdt@aggTrade`);
  const played = exchange.play({ BTCUSDT: trades });
  const half = trades.findIndex(({ T }) => T > START + 30_000);
  exchange.advanceTo(START + 30_000);
  assert.equal((await client.count(half)).length, half);
  exchange.advanceTo(START + 60_000);
  await played;
  assert.equal((await client.count(trades.length)).length, trades.length);
});

test('mini tickers come once a second, of the symbols that traded', async () => {
  await using exchange = await exchangeAtStart();
  await using client = await openClient(`${exchange.wsUrl}/ws/!miniTicker@arr`);
  exchange.publish('BTCUSDT', trades.slice(0, 1));
  exchange.advanceTo(START + 60_000);
  const [ticker] = JSON.parse((await client.count(1))[0] ?? '');
  assert.equal(ticker.c, trades[0]?.p);
  assert.deepEqual(Object.keys(ticker), ['e', 'E', 's', 'c', 'o', 'h', 'l', 'v', 'q']);
});

test('who subscribes after the end of a window still gets its closed frame', async () => {
  await using exchange = await exchangeAtStart({ closeDelayMs: 2_400 });
  exchange.publish('BTCUSDT', trades);
  exchange.advanceTo(START + 61_000);
  await using client = await openClient(`${exchange.wsUrl}/ws/btcusdt@kline_1m`);
  await exchange.whenSubscribed('btcusdt@kline_1m');
  exchange.advanceTo(START + 62_400);
  const { E, k } = JSON.parse((await client.count(1))[0] ?? '');
  assert.deepEqual([E, k.t, k.x, k.c], [START + 62_400, START, true, trades.at(-1)?.p]);
});

test('open klines come at most every two seconds, before the trade where asked', async () => {
  await using exchange = await exchangeAtStart({ klinesBeforeTrades: true });
  await using client = await openClient(`${exchange.wsUrl}/ws/btcusdt@kline_1m/btcusdt@aggTrade`);
  await exchange.whenSubscribed('btcusdt@kline_1m');
  exchange.publish('BTCUSDT', trades);
  exchange.advanceTo(START + 63_000);
  await client.frame((text) => text.includes('"x":true'));
  const events = client.frames.map((text) => JSON.parse(text));
  assert.equal(events[0].e, 'kline');
  assert.equal(events[1].e, 'aggTrade');
  const open = events.filter(({ e, k }) => e === 'kline' && !k.x).map(({ E }) => E);
  assert(open.length > 5);
  assert(open.every((time, index) => index === 0 || time - open[index - 1] >= 2_000));
});

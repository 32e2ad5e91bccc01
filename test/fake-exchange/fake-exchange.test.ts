// The exchange over real sockets: streams, REST, subscriptions, the manual clock.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import WebSocket from 'ws';
import { manualClock } from './clock.ts';
import { createFakeExchange } from './fake-exchange.ts';
import { generateHistory, generateTrades } from './generate.ts';
import { openClient } from './test-client.ts';
import { truthCandles } from './truth.ts';

const START = Date.UTC(2026, 0, 1);

test('a published trade reaches the subscriber of a combined stream and REST', async () => {
  await using exchange = await createFakeExchange({ clock: manualClock(START) });
  await using client = await openClient(`${exchange.wsUrl}/stream?streams=btcusdt@aggTrade`);
  await exchange.whenSubscribed('btcusdt@aggTrade');
  const [trade] = generateTrades({ seed: 1, from: START, to: START + 60_000, tradesPerSecond: 1 });
  assert(trade);
  exchange.publish('BTCUSDT', [trade]);

  const { a, p, q, f, l, T, m } = trade;
  assert.deepEqual(JSON.parse((await client.count(1))[0] ?? ''), {
    stream: 'btcusdt@aggTrade',
    data: { e: 'aggTrade', E: T, s: 'BTCUSDT', a, p, q, f, l, T, m, M: true },
  });
  const response = await fetch(`${exchange.restUrl}/api/v3/aggTrades?symbol=BTCUSDT`);
  assert.deepEqual(await response.json(), [{ a, p, q, f, l, T, m, M: true }]);
  assert.equal(response.headers.get('x-mbx-used-weight-1m'), '4');
  assert.deepEqual(exchange.breaches, []);
});

test('a frozen exchange stops though a client still waits for its handshake, and starts again at once', async () => {
  await using exchange = await createFakeExchange({ clock: manualClock(START) });
  exchange.freeze('everything');
  const waiting = new WebSocket(`${exchange.wsUrl}/ws/btcusdt@aggTrade`);
  const failed = once(waiting, 'error');
  // REST that was asked later hangs: the upgrade has been read before.
  const signal = AbortSignal.timeout(50);
  await assert.rejects(fetch(`${exchange.restUrl}/api/v3/ping`, { signal }));
  const stopped = exchange.stop();
  await exchange.start();
  await Promise.all([stopped, failed]);
  exchange.unfreeze();
  assert.equal((await fetch(`${exchange.restUrl}/api/v3/ping`)).status, 200);
});

test('a connection that is just ending may be reset: its handle is closed', async () => {
  const accepted = Promise.withResolvers<Socket>();
  const onSocket = (message: unknown) => accepted.resolve((message as { socket: Socket }).socket);
  subscribe('net.server.socket', onSocket);
  await using exchange = await createFakeExchange({ clock: manualClock(START) });
  await using client = await openClient(`${exchange.wsUrl}/ws/btcusdt@aggTrade`);
  const socket = await accepted.promise;
  unsubscribe('net.server.socket', onSocket);
  const closed = once(socket, 'close');
  // Before its shutdown is over, which takes another turn of the loop.
  socket.on('end', () => process.nextTick(() => exchange.resetConnections()));
  client.socket.terminate();
  await closed;
});

test('each window is closed once, the empty ones too, and equals the truth', async () => {
  await using exchange = await createFakeExchange({ clock: manualClock(START) });
  await using client = await openClient(`${exchange.wsUrl}/ws/btcusdt@kline_1m`);
  await exchange.whenSubscribed('btcusdt@kline_1m');
  const trades = generateTrades({ seed: 3, from: START, to: START + 600_000, tradesPerSecond: 5 });
  const withQuietMinutes = trades.filter(({ T }) => Math.floor(T / 60_000) % 3 !== 1);
  await exchange.playAll({ BTCUSDT: withQuietMinutes });
  exchange.advanceTo(START + 600_100);

  const truth = truthCandles(withQuietMinutes, '1m', { from: START, to: START + 600_000 });
  await client.frame(
    (text) => text.includes('"x":true') && text.includes(`"t":${START + 540_000}`),
  );
  const closed = client.frames
    .filter((text) => text.includes('"x":true'))
    .map((text) => JSON.parse(text));
  assert.deepEqual(
    closed.map(({ k }) => [k.t, k.o, k.h, k.l, k.c, k.v, k.q, k.n, k.V, k.Q, k.f, k.L]),
    truth.map((c) => [
      c.openTime,
      c.open,
      c.high,
      c.low,
      c.close,
      c.volume,
      c.quoteVolume,
      c.trades,
      c.takerBuyVolume,
      c.takerBuyQuoteVolume,
      c.firstTradeId,
      c.lastTradeId,
    ]),
  );
  assert(closed.every(({ E, k }) => E === k.T + 1 + 40));
  assert(closed.some(({ k }) => k.n === 0 && k.f === -1 && k.L === -1));
});

test('history goes over into trades without a seam, in every interval', async () => {
  const days = 40;
  const klines = generateHistory({ seed: 5, to: START, days });
  await using exchange = await createFakeExchange({
    clock: manualClock(START),
    symbols: [{ symbol: 'BTCUSDT', klines }],
  });
  const trades = generateTrades({ seed: 6, from: START, to: START + 300_000, tradesPerSecond: 2 });
  await exchange.playAll({ BTCUSDT: trades });
  for (const interval of ['1m', '15m', '1h', '1d', '3d', '1w', '1M']) {
    const response = await fetch(
      `${exchange.restUrl}/api/v3/klines?symbol=BTCUSDT&interval=${interval}&limit=1000`,
    );
    const rows: [number, string, string, string, string, string, number, string, number][] =
      JSON.parse(await response.text());
    assert(rows.length > 1, interval);
    for (const [index, row] of rows.entries()) {
      if (index > 0) assert.equal(row[0], (rows[index - 1]?.[6] ?? 0) + 1, interval);
    }
    assert.equal(rows.at(-1)?.[4], trades.at(-1)?.p, interval);
  }
});

test('a reset, a refusal and a new start are seen by clients as such', async () => {
  await using exchange = await createFakeExchange({ clock: manualClock(START) });
  const client = await openClient(`${exchange.wsUrl}/ws/btcusdt@aggTrade`);
  exchange.resetConnections();
  assert.equal(await client.closed, 1006);
  await exchange.stop();
  await assert.rejects(openClient(`${exchange.wsUrl}/ws`), { code: 'ECONNREFUSED' });
  await exchange.start();
  await using again = await openClient(`${exchange.wsUrl}/ws`);
  assert.equal(await again.ask({ method: 'LIST_SUBSCRIPTIONS', id: 3 }), '{"result":[],"id":3}');
  assert.equal(exchange.connections.records.length, 2);
});

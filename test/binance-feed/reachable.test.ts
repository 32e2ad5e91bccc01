// Whether the exchange can be used, and through what: refused, blocked, silent, unknown, behind a proxy.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { test } from 'node:test';
import type { Clock } from '../../src/core/market/time.ts';
import { reachable } from '../../src/feed/binance/reachable.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { watchFeed } from './watched-feed.ts';

const clock: Clock = {
  now: () => 0 as never,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    }),
};
const { signal } = new AbortController();
const base = { timeoutMs: 5_000, clock, signal };

test('an exchange that answers both ways is reachable, though other endpoints are not', async () => {
  await using exchange = await createFakeExchange();
  const reach = await reachable({
    ...base,
    restUrls: ['http://127.0.0.1:1', exchange.restUrl],
    webSocketUrls: ['ws://127.0.0.1:1', exchange.wsUrl],
  });
  assert.equal(reach.reachable, true);
  assert.equal(reach.reason, '');
});

test('nothing listening is said so', async () => {
  const reach = await reachable({
    ...base,
    restUrls: ['http://127.0.0.1:1'],
    webSocketUrls: ['ws://127.0.0.1:1'],
  });
  assert.equal(reach.reachable, false);
  assert.deepEqual(
    reach.endpoints.map(({ problem }) => problem),
    ['refused', 'refused'],
  );
  assert.match(reach.reason, /127\.0\.0\.1:1: refuses connections/);
});

test('a country that is not served is told which endpoints to try', async () => {
  await using exchange = await createFakeExchange({
    faults: {
      onRequest: () => ({ status: 451, headers: {}, body: '<html></html>' }),
      onUpgrade: () => 451,
    },
  });
  const reach = await reachable({
    ...base,
    restUrls: [exchange.restUrl],
    webSocketUrls: [exchange.wsUrl],
  });
  assert.deepEqual(
    reach.endpoints.map(({ problem }) => problem),
    ['forbidden', 'forbidden'],
  );
  assert.match(reach.reason, /data-api\.binance\.vision/);
});

test('silence ends at the time-out', async () => {
  const silent = createServer((socket) => socket.on('error', () => socket.destroy()).resume());
  const host = await listen(silent);
  const reach = await reachable({
    ...base,
    timeoutMs: 100,
    restUrls: [`http://${host}`],
    webSocketUrls: [`ws://${host}`],
  });
  silent.close();
  assert.deepEqual(
    reach.endpoints.map(({ problem }) => problem),
    ['timeout', 'timeout'],
  );
});

test('a name that does not exist is told from a refusal', async () => {
  const reach = await reachable({
    ...base,
    restUrls: ['http://no-such-exchange.invalid'],
    webSocketUrls: ['ws://no-such-exchange.invalid'],
  });
  assert.deepEqual(
    reach.endpoints.map(({ problem }) => problem),
    ['dns', 'dns'],
  );
});

test('REST and WebSocket both go through HTTPS_PROXY', async () => {
  const asked: string[] = [];
  const proxy = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (data) => {
      asked.push(data.toString('latin1').split('\r\n')[0] ?? '');
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
  });
  const host = await listen(proxy);
  const reach = await reachable({
    ...base,
    restUrls: ['https://rest.invalid'],
    webSocketUrls: ['wss://stream.invalid:9443'],
    proxy: `http://${host}`,
  });
  await new Promise((resolve) => proxy.close(resolve));
  assert.equal(reach.reachable, false);
  assert.deepEqual(asked.sort(), [
    'CONNECT rest.invalid:443 HTTP/1.1',
    'CONNECT stream.invalid:9443 HTTP/1.1',
  ]);
});

test('with HTTPS_PROXY set, endpoints without TLS are reached straight', async () => {
  await using exchange = await createFakeExchange();
  const proxy = 'http://127.0.0.1:1';
  const reach = await reachable({
    ...base,
    restUrls: [exchange.restUrl],
    webSocketUrls: [exchange.wsUrl],
    proxy,
  });
  assert.equal(reach.reachable, true, reach.reason);
  await using feed = watchFeed(exchange, { proxy });
  await feed.live();
});

test('refused by every endpoint from the start, the stream ends with the remedy', async () => {
  await using exchange = await createFakeExchange({
    faults: { onRequest: () => ({ status: 403, headers: {}, body: '<html>' }) },
  });
  await using feed = watchFeed(exchange);
  await assert.rejects(feed.ended, { code: 'refused', message: /--binance-rest-url/ });
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  return `127.0.0.1:${address.port}`;
}

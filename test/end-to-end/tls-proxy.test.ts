// The exchange by TLS alone, through a proxy and with an authority that only NODE_EXTRA_CA_CERTS names: every trade comes, REST and WebSocket both.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateTrades } from '../fake-exchange/generate.ts';
import { truthCandles } from '../fake-exchange/truth.ts';
import { makeCertificates } from '../product/certificates.ts';
import { type Product, startProduct } from '../product/product.ts';
import { temporaryDir } from './pipeline.ts';

const MINUTE_MS = 60_000;
const FROM = Date.UTC(2024, 6, 1);
const TO = FROM + 3 * MINUTE_MS;
const REST_HOST = 'rest.exchange.test';
const STREAM_HOST = 'stream.exchange.test';
const WAIT_MS_MAX = 60_000;
const LOOK_MS = 100;

interface Listening extends AsyncDisposable {
  readonly port: number;
}

async function listen(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Both ways, until either ends. */
function pipeBoth(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}

/** CONNECT to anything leads to `port`; `asked` gets what was asked for. */
function proxyTo(port: number, asked: Set<string>): Server {
  return createServer((socket) => {
    socket.once('data', (head) => {
      asked.add(/^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(head.toString('latin1'))?.[1] ?? String(head));
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      pipeBoth(socket, connect(port, '127.0.0.1'));
    });
  });
}

async function until(isSo: () => Promise<boolean>, product: Product, what: string): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  while (!(await isSo())) {
    assert(performance.now() < deadline, `no ${what}: ${product.lines.slice(-5).join('\n')}`);
    await sleep(LOOK_MS);
  }
}

/** The product behind the proxy; its certificate's authority is known to it where `isTrusted`. */
async function behindProxy(
  isTrusted: boolean,
  act: (parts: {
    readonly product: Product;
    readonly exchange: Awaited<ReturnType<typeof createFakeExchange>>;
    readonly asked: ReadonlySet<string>;
  }) => Promise<void>,
): Promise<void> {
  const { authority, certificate, key } = makeCertificates([REST_HOST, STREAM_HOST]);
  await using dir = await temporaryDir();
  const path = join(dir.path, 'authority.pem');
  await writeFile(path, authority);
  await using exchange = await createFakeExchange({
    symbols: [{ symbol: 'BTCUSDT', onboardTime: FROM }],
    clock: manualClock(FROM),
  });
  await using tls = await listen(
    createTlsServer({ cert: certificate, key }, (socket) =>
      pipeBoth(socket, connect(exchange.port, '127.0.0.1')),
    ),
  );
  const asked = new Set<string>();
  await using proxy = await listen(proxyTo(tls.port, asked));
  await using product = await startProduct({
    exchange: { restUrl: `https://${REST_HOST}`, wsUrl: `wss://${STREAM_HOST}:9443` },
    dataDir: join(dir.path, 'data'),
    env: {
      HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
      NODE_EXTRA_CA_CERTS: isTrusted ? path : '',
    },
  });
  await act({ product, exchange, asked });
}

test('REST and WebSocket by TLS through the proxy: candles are true', async () => {
  await behindProxy(true, async ({ product, exchange, asked }) => {
    const trades = generateTrades({ seed: 12, from: FROM, to: TO, tradesPerSecond: 4 });
    const isSubscribed = async () => exchange.connections.subscribers('btcusdt@aggTrade') > 0;
    await until(isSubscribed, product, 'subscription');
    await exchange.playAll({ BTCUSDT: trades });
    exchange.advanceTo(TO + 15_000);
    const closed = async (): Promise<unknown[][]> => {
      const query = `symbol=BTCUSDT&interval=1m&startTime=${FROM}&endTime=${TO - 1}`;
      const response = await fetch(`${product.url}/api/v3/klines?${query}`);
      return response.ok ? ((await response.json()) as unknown[][]) : [];
    };
    const truth = truthCandles(trades, '1m', { from: FROM, to: TO }).map((candle) => [
      ...[candle.openTime, candle.open, candle.high, candle.low, candle.close, candle.volume],
      ...[candle.closeTime, candle.quoteVolume, candle.trades],
    ]);
    const isTrue = async () =>
      JSON.stringify((await closed()).map((row) => row.slice(0, 9))) === JSON.stringify(truth);
    await until(isTrue, product, 'true candles');
    assert.deepEqual([...asked].sort(), [`${REST_HOST}:443`, `${STREAM_HOST}:9443`]);
    assert.deepEqual(exchange.breaches, []);
    assert.equal(await product.stop(), 0);
  });
});

test('an authority nobody has named: offline, saying why', async () => {
  await behindProxy(false, async ({ product, exchange }) => {
    const isSaid = async () =>
      product.lines.some((line) => /Feed: offline \(.*certificate/.test(line));
    await until(isSaid, product, 'word of the certificate');
    assert.deepEqual(exchange.requests, []);
  });
});

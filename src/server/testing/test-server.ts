// A whole server over a market and a store that a test drives by hand, under a clock it moves.
import type {} from '@fastify/websocket';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { WebSocket } from 'ws';
import { INTERVALS } from '../../core/market/interval.ts';
import { MarketModel } from '../../stages/serve/market-model.ts';
import { type ManualClock, manualClock } from '../../stages/serve/testing/manual-clock.ts';
import { BTCUSDT, ETHUSDT, liveStatus } from '../../stages/serve/testing/market-fixtures.ts';
import { createServer, type ServerOptions, type WickstreamServer } from '../create-server.ts';
import { type PlainStore, plainStore } from './plain-store.ts';

export interface TestServer extends AsyncDisposable {
  readonly server: WickstreamServer;
  readonly market: MarketModel;
  readonly store: PlainStore;
  readonly clock: ManualClock;
  /** The server's ends of the open WebSockets. */
  sockets(): readonly WebSocket[];
}

export async function testServer(
  overrides: Partial<Omit<ServerOptions, 'clock'>> & { readonly clock?: ManualClock } = {},
): Promise<TestServer> {
  const { clock = manualClock() } = overrides;
  const market = new MarketModel([BTCUSDT, ETHUSDT]);
  const store = plainStore();
  market.applyStatus(liveStatus(clock.now()));
  const server = await createServer({
    market,
    store,
    intervals: INTERVALS,
    host: '127.0.0.1',
    port: 0,
    version: '1.2.3',
    dashboardDir: '/nowhere',
    clock,
    logger: pino({ level: 'silent' }),
    metrics: new Registry(),
    wish: async (wish) => market.applyWish(wish),
    ...overrides,
  });
  const dispose = async (): Promise<void> => {
    const closing = server[Symbol.asyncDispose]();
    // Open sockets get their time to say goodbye by this clock.
    await clock.advance(1_000);
    await closing;
  };
  const sockets = () => [...server.app.websocketServer.clients];
  return { server, market, store, clock, sockets, [Symbol.asyncDispose]: dispose };
}

export interface TestSocket {
  readonly socket: WebSocket;
  /** The next text frame, in order of arrival. */
  nextText(): Promise<string>;
  /** The next text frame as JSON; of `type`, skipping others, where given. */
  next(type?: string): Promise<Record<string, unknown>>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

export async function openSocket(
  url: string,
  headers: Record<string, string> = {},
): Promise<TestSocket> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), { headers });
  const received: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  socket.on('message', (data) => {
    const taker = waiting.shift();
    if (taker === undefined) received.push(String(data));
    else taker(String(data));
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  const nextText = (): Promise<string> => {
    const text = received.shift();
    if (text !== undefined) return Promise.resolve(text);
    return new Promise((resolve) => waiting.push(resolve));
  };
  const next = async (type?: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const message: Record<string, unknown> = JSON.parse(await nextText());
      if (type === undefined || message['type'] === type) return message;
    }
  };
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  return { socket, nextText, next, closed };
}

// The test double of Binance Spot market data: real sockets on the loopback address, the real
// protocol, its own clock. Refuses to import anything from the product.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Interval } from './calendar.ts';
import { type ExchangeClock, isManual, runningClock } from './clock.ts';
import {
  type Breach,
  type ConnectionRecord,
  type Connections,
  createConnections,
} from './connections.ts';
import type { Faults } from './faults.ts';
import type { CloseDelay } from './kline-schedule.ts';
import { type Load, type LoadOptions, startLoad } from './load.ts';
import { createMarket, type Market, type SymbolOptions } from './market.ts';
import { createRequestLimiter } from './rest-limits.ts';
import { type RequestRecord, serveRest } from './rest-server.ts';
import { createStreams, type Tape } from './streams.ts';
import type { AggTrade } from './truth.ts';
import { webSockets } from './web-sockets.ts';

export interface FakeExchangeOptions {
  /** Default: one symbol, `BTCUSDT`, without history. */
  readonly symbols?: readonly (SymbolOptions | string)[];
  /** Default: running, at the real time. */
  readonly clock?: ExchangeClock;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Closed klines are sent so long after their end (exchange ms). Default 40; real: 4 – 2,400. */
  readonly closeDelayMs?: CloseDelay;
  /** A trade's kline update leaves before the trade itself, as it happens on the real exchange. */
  readonly klinesBeforeTrades?: boolean;
  /** Default 20,000 on a running clock, none on a manual one. */
  readonly pingIntervalMs?: number;
  /** Default 60,000. */
  readonly pongTimeoutMs?: number;
  /** Default 24 h. */
  readonly lifetimeMs?: number;
  /** Request weight a minute. Default 6,000. */
  readonly weightMax?: number;
  readonly faults?: Faults;
}

export interface FakeExchange extends AsyncDisposable {
  /** `ws://127.0.0.1:port`: base for `/ws` and `/stream`. */
  readonly wsUrl: string;
  /** `http://127.0.0.1:port`: base for `/api/v3/…`. */
  readonly restUrl: string;
  readonly port: number;
  readonly market: Market;
  /** Exchange time (ms). */
  now(): number;

  /** Manual clock only: goes on to `time`, sending all that falls due on the way, in order. */
  advanceTo(time: number): void;
  /** Sends trades at once. A manual clock follows their T; what falls due before each goes first. */
  publish(symbol: string, trades: Iterable<AggTrade>): void;
  /** Queues trades to be sent at their T by the exchange's clock; resolves once all are sent. */
  play(tape: Tape): Promise<void>;
  /** Sends all trades in order of T as fast as the clients read, a manual clock following. */
  playAll(tape: Tape): Promise<void>;
  /** Generated trades in real time until stopped. Running clock only. */
  startLoad(options: LoadOptions): Load;

  /** Resolves when each stream has a subscriber; rejects after 10 s (real), naming what is missing. */
  whenSubscribed(...streams: readonly string[]): Promise<void>;
  readonly connections: Pick<Connections, 'openCount' | 'subscribers' | 'pongs'> & {
    /** Every attempt so far, oldest first. */
    readonly records: readonly ConnectionRecord[];
  };
  readonly requests: readonly RequestRecord[];
  /** Limits of the exchange that a client broke. A good client leaves this empty. */
  readonly breaches: readonly Breach[];

  /** May be changed at any time. */
  readonly faults: Faults;
  /** TCP RST on every WebSocket, or on those with these ids. */
  resetConnections(ids?: readonly number[]): void;
  /** Only those opened up to `openedBy` (exchange ms), where it is given: what an announced shutdown closes. */
  closeConnections(code?: number, reason?: string, openedBy?: number): void;
  /**
   * Open WebSockets stay open and fall silent: nothing is sent, no ping answered; what would have
   * been sent is lost. `everything`: new connections and REST requests hang too.
   * Ids: only these connections.
   */
  freeze(scope?: 'connections' | 'everything' | readonly number[]): void;
  unfreeze(): void;
  /** Stops listening and resets all connections: clients are refused until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Sends `serverShutdown` to every connection. */
  announceShutdown(): void;
  /** Bans the address (418) for `durationMs`. */
  ban(durationMs: number): void;
}

/** How often a running exchange looks at its clock (real ms). */
const TICK_MS = 5;
const PING_INTERVAL_MS = 20_000;
const PONG_TIMEOUT_MS = 60_000;
const LIFETIME_MS = 24 * 3_600_000;
const CLOSE_DELAY_MS = 40;
const BREACHES_MAX = 1_000;
const SUBSCRIBE_DEADLINE_MS = 10_000;

/** Starts an exchange. Dispose it (`await using`) to free its port. */
export async function createFakeExchange(options: FakeExchangeOptions = {}): Promise<FakeExchange> {
  const clock = options.clock ?? runningClock();
  const manual = isManual(clock) ? clock : undefined;
  const transportNow = manual ? manual.now : Date.now;
  const faults: Faults = { ...options.faults };
  const market = createMarket((options.symbols ?? ['BTCUSDT']).map(toSymbolOptions));
  const limiter = createRequestLimiter(options.weightMax);
  const breaches: Breach[] = [];
  const requests: RequestRecord[] = [];
  const waiting = new Set<() => void>();
  let isFrozen = false;

  function onBreach(type: Breach['type'], detail: string): void {
    if (breaches.length < BREACHES_MAX) breaches.push({ type, time: clock.now(), detail });
  }

  const connections = createConnections({
    faults: () => faults,
    now: clock.now,
    transportNow,
    realNow: () => performance.now(),
    pingIntervalMs: options.pingIntervalMs ?? (manual ? undefined : PING_INTERVAL_MS),
    pongTimeoutMs: options.pongTimeoutMs ?? PONG_TIMEOUT_MS,
    lifetimeMs: options.lifetimeMs ?? LIFETIME_MS,
    isBanned: () => limiter.isBanned(transportNow()),
    onBreach,
    onStream(stream, isWatched) {
      streams.onStream(stream, isWatched);
      for (const look of waiting) look();
    },
    onDelayed: (delayMs, send) => streams.after(delayMs, send),
  });
  const streams = createStreams({
    market,
    connections,
    clock,
    closeDelayMs: options.closeDelayMs ?? CLOSE_DELAY_MS,
    klinesBeforeTrades: options.klinesBeforeTrades ?? false,
  });

  // REST must know what has happened, also where this process was held up: no window is over before its trades.
  const now = manual ? clock.now : streams.catchUp;
  const rest = { market, limiter, faults, requests, onBreach, now, transportNow };
  const server = createServer((request, response) => {
    if (!isFrozen) serveRest(request, response, rest);
  });
  const accept = webSockets(connections);
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (!isFrozen) accept(request, socket, head);
  });
  const listener = await listen(server, options.port ?? 0);
  const timer = manual ? undefined : setInterval(streams.tick, TICK_MS);
  const loads = new Set<Load>();

  function stop(): Promise<void> {
    connections.reset();
    return listener.stop();
  }

  return {
    wsUrl: `ws://127.0.0.1:${listener.port}`,
    restUrl: `http://127.0.0.1:${listener.port}`,
    port: listener.port,
    market,
    now: clock.now,
    advanceTo: streams.advanceTo,
    publish: streams.publish,
    play: streams.play,
    playAll: streams.playAll,
    startLoad(loadOptions) {
      const load = startLoad({ ...loadOptions, market, now: clock.now, publish: streams.publish });
      loads.add(load);
      return load;
    },
    whenSubscribed: (...wanted) => whenSubscribed(wanted, connections, waiting),
    connections,
    requests,
    breaches,
    faults,
    resetConnections: connections.reset,
    closeConnections: (code = 1001, reason = '', openedBy = Infinity) =>
      connections.close(code, reason, openedBy),
    freeze(scope = 'connections') {
      isFrozen = scope === 'everything';
      connections.freeze(typeof scope === 'string' ? undefined : scope);
    },
    unfreeze() {
      isFrozen = false;
      connections.unfreeze();
    },
    stop,
    start: listener.start,
    announceShutdown: connections.announceShutdown,
    ban: (durationMs) => limiter.ban(transportNow() + durationMs),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      for (const load of loads) load.stop();
      await stop();
    },
  };
}

interface Listener {
  readonly port: number;
  /** Both do nothing if it is so already. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Listens on the loopback address; always on the same port once it has one. */
async function listen(server: Server, wantedPort: number): Promise<Listener> {
  // The server itself forgets a socket that asked for an upgrade, and waits for it all the same.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  let stopping = Promise.resolve();

  async function start(port: number): Promise<void> {
    await stopping;
    if (server.listening) return;
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  }
  await start(wantedPort);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    start: () => start(port),
    stop() {
      if (!server.listening) return stopping;
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
      stopping = promise;
      return stopping;
    },
  };
}

function toSymbolOptions(symbol: SymbolOptions | string): SymbolOptions {
  return typeof symbol === 'string' ? { symbol } : symbol;
}

async function whenSubscribed(
  wanted: readonly string[],
  connections: Connections,
  waiting: Set<() => void>,
): Promise<void> {
  const missing = () => wanted.filter((stream) => connections.subscribers(stream) === 0);
  if (missing().length === 0) return;
  await new Promise<void>((resolve, reject) => {
    const end = () => {
      waiting.delete(look);
      clearTimeout(timer);
    };
    const look = () => {
      if (missing().length > 0) return;
      end();
      resolve();
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error(`Expected subscribers, had none for ${missing().join(', ')}`));
    }, SUBSCRIBE_DEADLINE_MS);
    waiting.add(look);
  });
}

export type {
  AggTrade,
  Breach,
  ConnectionRecord,
  Faults,
  Interval,
  Market,
  RequestRecord,
  SymbolOptions,
  Tape,
};

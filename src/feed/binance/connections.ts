// All connections of the feed: which symbol is carried by which, and how they are together. More symbols take more connections; one without
// symbols is ended.
import type { MarketSymbol } from '../../core/market/symbol.ts';
import {
  type Connection,
  type ConnectionOptions,
  type ConnectionState,
  createConnection,
} from './connection.ts';
import { SYMBOLS_A_CONNECTION_MAX } from './stream-plan.ts';

export interface Connections {
  /** Opens them; runs until `signal` aborts. */
  run(): Promise<void>;
  /** Onto the first connection with room, or a new one. */
  add(symbol: MarketSymbol): void;
  remove(symbol: MarketSymbol): void;
  isCovering(symbol: MarketSymbol): boolean;
  /** Of the connection that carries the symbol. */
  stateOf(symbol: MarketSymbol): ConnectionState;
  /** All together: `open` where one is; else the least bad of them, and why. */
  state(): { readonly state: ConnectionState; readonly reason: string | undefined };
  pause(): void;
  resume(): void;
}

export interface ConnectionsOptions extends ConnectionOptions {
  /** Default: `SYMBOLS_A_CONNECTION_MAX`. */
  readonly symbolsAConnection?: number;
}

const LEAST_BAD: readonly ConnectionState[] = ['open', 'stale', 'connecting', 'offline'];

interface Carrier {
  readonly connection: Connection;
  readonly closing: AbortController;
}

export function createConnections(options: ConnectionsOptions): Connections {
  const { signal, symbolsAConnection = SYMBOLS_A_CONNECTION_MAX } = options;
  const carriers: Carrier[] = [];
  const bySymbol = new Map<MarketSymbol, Carrier>();
  const ending = Promise.withResolvers<void>();
  const running = new Set<Promise<void>>();
  let isRunning = false;
  let isPaused = false;

  function start({ connection }: Carrier): void {
    const run = connection.run();
    running.add(run);
    // What fails ends the feed.
    run.then(() => running.delete(run), ending.reject);
  }

  function newCarrier(): Carrier {
    const closing = new AbortController();
    const connection = createConnection({
      ...options,
      signal: AbortSignal.any([signal, closing.signal]),
    });
    const carrier = { connection, closing };
    carriers.push(carrier);
    if (isPaused) connection.pause();
    return carrier;
  }

  return {
    async run() {
      isRunning = true;
      signal.addEventListener('abort', () => ending.resolve(), { once: true });
      if (signal.aborted) ending.resolve();
      for (const carrier of carriers) start(carrier);
      await ending.promise;
      await Promise.all(running);
    },
    add(symbol) {
      if (bySymbol.has(symbol)) return;
      const free = carriers.find(
        ({ connection }) => connection.symbols().length < symbolsAConnection,
      );
      const carrier = free ?? newCarrier();
      const { connection } = carrier;
      bySymbol.set(symbol, carrier);
      connection.carry([...connection.symbols(), symbol]);
      if (free === undefined && isRunning) start(carrier);
    },
    remove(symbol) {
      const carrier = bySymbol.get(symbol);
      if (carrier === undefined) return;
      bySymbol.delete(symbol);
      const { connection, closing } = carrier;
      connection.carry(connection.symbols().filter((one) => one !== symbol));
      if (connection.symbols().length > 0) return;
      carriers.splice(carriers.indexOf(carrier), 1);
      closing.abort();
    },
    isCovering: (symbol) => bySymbol.get(symbol)?.connection.isCovering(symbol) ?? false,
    stateOf: (symbol) => bySymbol.get(symbol)?.connection.state() ?? 'connecting',
    state() {
      const connections = carriers.map(({ connection }) => connection);
      const best = LEAST_BAD.find((state) => connections.some((one) => one.state() === state));
      const worst = connections.find((one) => one.state() !== 'open');
      return { state: best ?? 'connecting', reason: worst?.reason() };
    },
    pause() {
      isPaused = true;
      for (const { connection } of carriers) connection.pause();
    },
    resume() {
      isPaused = false;
      for (const { connection } of carriers) connection.resume();
    },
  };
}

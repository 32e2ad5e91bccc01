// The feed of Binance spot: one combined socket for all symbols and REST beside it. Never falls back: that is for its caller to decide.
import type { Interval } from '../../core/market/interval.ts';
import type { Source } from '../../core/market/source.ts';
import type { Clock } from '../../core/market/time.ts';
import { FeedError, type MarketFeed } from '../market-feed.ts';
import { STREAMS_MAX } from './connection.ts';
import type { Rest } from './rest.ts';
import { createSession, type Session } from './session.ts';
import { networkTransport, type Transport } from './transport.ts';

export { type Reachability, reachable } from './reachable.ts';

/** One pulse beside two streams a symbol. */
export const SYMBOLS_MAX = Math.floor((STREAMS_MAX - 1) / 2);

export interface BinanceFeedOptions {
  /** Base URLs without a path, in order of preference. */
  readonly webSocketUrls: readonly string[];
  readonly restUrls: readonly string[];
  readonly clock: Clock;
  /** In [0, 1): jitter. */
  readonly random: () => number;
  readonly logger: FeedLogger;
  /** As in HTTPS_PROXY; used for TLS endpoints, REST and WebSocket. */
  readonly proxy?: string;
  /** Default: the network. */
  readonly transport?: Transport;
  /** Intervals whose past is fetched for the store; 1m, 1d and 3d come with the start in any case. Default: all. */
  readonly historyIntervals?: readonly Interval[];
}

export interface FeedLogger {
  info(message: string): void;
  warn(message: string): void;
}

/**
 * Its stream goes on for ever: an exchange that cannot be reached is the state `offline`, not an end.
 * @throws FeedError in `stream`: `unknown-symbol`; `refused` where every endpoint refuses us from the start.
 */
export function binanceFeed(options: BinanceFeedOptions): MarketFeed {
  const transport = options.transport ?? networkTransport(options.proxy);
  const closing = new AbortController();
  const source = binanceSource(options);
  let rest: Rest | undefined;
  let running: Session | undefined;
  return {
    source,
    get clockOffsetMs() {
      return rest?.clockOffsetMs() ?? 0;
    },
    async *stream(starts, signal) {
      if (starts.length > SYMBOLS_MAX) {
        const message = `Expected at most ${SYMBOLS_MAX} symbols, were ${starts.length}`;
        throw new FeedError('refused', message);
      }
      const ending = new AbortController();
      const end = AbortSignal.any([signal, closing.signal, ending.signal]);
      const session = createSession({ ...options, transport, starts, signal: end });
      rest = session.rest;
      running = session;
      const ended = session.run();
      try {
        yield* session.events;
      } finally {
        ending.abort();
        running = undefined;
        await ended;
      }
    },
    ask: (request) => running?.ask(request),
    add() {},
    remove() {},
    async [Symbol.asyncDispose]() {
      closing.abort();
      transport.destroy();
    },
  };
}

export type Endpoints = Pick<BinanceFeedOptions, 'restUrls' | 'webSocketUrls'>;

/**
 * Whose market these endpoints are: all of Binance's own hosts are one exchange, its test markets and
 * every other host are themselves. Several that are not the same are joined by `+`: each counts (I10).
 */
export function binanceSource({ restUrls, webSocketUrls }: Endpoints): Source {
  const hosts = new Set([...restUrls, ...webSocketUrls].map(exchangeHost));
  return { kind: 'binance', host: [...hosts].sort().join('+') };
}

function exchangeHost(url: string): string {
  const { host, hostname } = new URL(url);
  const isBinance = /\.binance\.(com|vision)$/.test(hostname);
  // What is traded there is no money: its prices are not the market's.
  const isTest = /(^|\.)(testnet|demo)[.-]/.test(hostname);
  return isBinance && !isTest ? 'binance.com' : host;
}

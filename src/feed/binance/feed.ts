// The feed of Binance spot: combined sockets for all symbols and REST beside them. Never falls back: that is for its caller to decide.
import type { Interval } from '../../core/market/interval.ts';
import type { Source } from '../../core/market/source.ts';
import { type MarketSymbol, SYMBOLS_MAX } from '../../core/market/symbol.ts';
import type { Clock, DurationMs } from '../../core/market/time.ts';
import { FeedError, type FeedEvent, type MarketFeed, type StartPoint } from '../market-feed.ts';
import { createAttemptBudget } from './back-off.ts';
import { NO_COUNTS } from './feed-counts.ts';
import { klinePages } from './kline-pages.ts';
import type { Rest } from './rest.ts';
import { createSession, type Session } from './session.ts';
import { networkTransport, type Transport } from './transport.ts';

export { type Reachability, reachable } from './reachable.ts';

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
  /** See `HOLE_WAIT_MS`, `HELD_TRADES_MAX`, `RESUME_TRADES_MAX`, the defaults. */
  readonly holeWaitMs?: DurationMs;
  readonly heldTradesMax?: number;
  readonly resumeTradesMax?: number;
  /** Intervals whose past is fetched for the store; 1m, 1d and 3d come with the start in any case. Default: all. */
  readonly historyIntervals?: readonly Interval[];
  /** What becomes of the stream where every endpoint refuses us from the start. Default: it ends. Later refusals never end it. */
  readonly whenRefused?: 'end' | 'try-on';
  /** Default: `ROTATE_AFTER_MS`. */
  readonly rotateAfterMs?: DurationMs;
  /** Default: `SYMBOLS_A_CONNECTION_MAX`. */
  readonly symbolsAConnection?: number;
}

export interface FeedLogger {
  info(message: string): void;
  warn(message: string): void;
}

/**
 * Its stream goes on for ever: an exchange that cannot be reached is the state `offline`, not an end.
 * @throws FeedError in `stream`: `unknown-symbol`; `refused` where every endpoint refuses us from the start, unless it is to try on.
 */
export function binanceFeed(options: BinanceFeedOptions): MarketFeed {
  const transport = options.transport ?? networkTransport(options.proxy);
  const closing = new AbortController();
  const source = binanceSource(options);
  const attempts = createAttemptBudget();
  let session: Session | undefined;

  /** Begins when it is first read. */
  async function* read(current: Session, ending: AbortController): AsyncGenerator<FeedEvent, void> {
    const running = current.run();
    try {
      yield* current.events;
    } finally {
      ending.abort();
      await running;
    }
  }

  function restOfSession(): Rest {
    if (session !== undefined) return session.rest;
    throw new FeedError(
      'unreachable',
      'Expected a running stream: the past is asked for beside it',
    );
  }

  return {
    source,
    history: klinePages(restOfSession, closing.signal),
    get clockOffsetMs() {
      return session?.rest.clockOffsetMs();
    },
    counts: () => session?.counts() ?? NO_COUNTS,
    stream(starts, signal) {
      if (starts.length > SYMBOLS_MAX) {
        const message = `Expected at most ${SYMBOLS_MAX} symbols, were ${starts.length}`;
        throw new FeedError('refused', message);
      }
      const ending = new AbortController();
      const end = AbortSignal.any([signal, closing.signal, ending.signal]);
      session = createSession({ ...options, transport, attempts, starts, signal: end });
      return read(session, ending);
    },
    ask: (request) => session?.ask(request),
    add: (start: StartPoint) => session?.add(start),
    remove: (symbol: MarketSymbol) => session?.remove(symbol),
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

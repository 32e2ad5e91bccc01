// How the feed is, for its reader and the console: said when it has changed, not more often. Decides nothing but that.
import type { FeedState, SymbolFeedState } from '../../core/market/feed-status.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock, DurationMs } from '../../core/market/time.ts';
import type { FeedEvent } from '../market-feed.ts';
import type { ConnectionState } from './connection.ts';
import type { Connections } from './connections.ts';
import type { SymbolState } from './symbol-stream.ts';

/** The same warning is not repeated within this: hundreds of symbols meet the same trouble at the same time. */
const WARN_AGAIN_MS: DurationMs = 60_000;

export interface FeedReport {
  /** Something may have changed. */
  look(): void;
  /** To the console, and the reason shown until all is live again. */
  trouble(reason: string): void;
  /** To the console only. */
  warn(message: string): void;
}

export interface FeedReportOptions {
  readonly symbols: () => Iterable<readonly [MarketSymbol, SymbolState]>;
  readonly connections: Pick<Connections, 'state' | 'stateOf' | 'isCovering'>;
  readonly push: (event: FeedEvent) => void;
  readonly clock: Clock;
  readonly logger: { warn(message: string): void };
}

export function createFeedReport(options: FeedReportOptions): FeedReport {
  const { connections, push, clock, logger } = options;
  let trouble: string | undefined;
  let reported = '';
  let warned = { message: '', at: 0 };

  function warn(message: string): void {
    if (message === warned.message && clock.now() - warned.at < WARN_AGAIN_MS) return;
    warned = { message, at: clock.now() };
    logger.warn(message);
  }

  function busySymbols(): ReadonlyMap<MarketSymbol, SymbolFeedState> {
    const busy = new Map<MarketSymbol, SymbolFeedState>();
    for (const [symbol, state] of options.symbols()) {
      const shown = symbolState(state, connections.isCovering(symbol), connections.stateOf(symbol));
      if (shown !== 'live') busy.set(symbol, shown);
    }
    return busy;
  }

  function look(): void {
    const busy = busySymbols();
    const connected = connections.state();
    const state = feedState(connected.state, busy);
    if (state === 'live' && busy.size === 0) trouble = undefined;
    const reason = connected.reason ?? trouble;
    const key = JSON.stringify([state, reason, [...busy]]);
    if (key === reported) return;
    reported = key;
    push({ type: 'state', state, symbols: busy, ...(reason === undefined ? {} : { reason }) });
  }

  return {
    look,
    warn,
    trouble(reason) {
      warn(reason);
      trouble = reason;
      look();
    },
  };
}

/** What is said of one symbol: its connection's silence or absence before its own state. */
export function symbolState(
  state: SymbolState,
  isCovered: boolean,
  connection: ConnectionState,
): SymbolFeedState | 'live' {
  if (connection === 'stale') return 'stale';
  return isCovered && connection === 'open' ? state : 'catching-up';
}

/** Of the whole feed. Where one connection of several is silent or away, its symbols say so and the feed does not. */
export function feedState(
  connected: ConnectionState,
  busy: ReadonlyMap<MarketSymbol, SymbolFeedState>,
): FeedState {
  if (connected !== 'open') return connected;
  const states = new Set(busy.values());
  if (states.has('catching-up')) return 'catching-up';
  return states.has('repairing') ? 'repairing' : 'live';
}

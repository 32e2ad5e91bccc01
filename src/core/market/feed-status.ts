// What the user is told about the feed (I12). Data only: who writes it is the ingest stage.
import type { Source } from './source.ts';
import type { MarketSymbol } from './symbol.ts';
import type { EpochMs } from './time.ts';

/**
 * - connecting: no connection yet, trying
 * - catching-up: connected, fetching what was missed
 * - live: every symbol joined, the connection speaks
 * - repairing: live, but missing trades of some symbol are being fetched
 * - stale: connected, but silent for longer than `STALE_AFTER_MS`
 * - offline: no endpoint can be reached
 */
export type FeedState = 'connecting' | 'catching-up' | 'live' | 'repairing' | 'stale' | 'offline';

/** Of one symbol that is not simply live; `stale`: its connection is silent, while others may speak. */
export type SymbolFeedState = 'catching-up' | 'repairing' | 'stale';

/** A chart that is not current says so within 5 s: silence of 4 s plus the 1 s status rhythm. */
export const STALE_AFTER_MS = 4_000;

/** Written by ingest at each change and at least every `FEED_STATUS_INTERVAL_MS`. */
export interface FeedStatus {
  readonly source: Source;
  readonly state: FeedState;
  /** By the clock of the machine that ingests. */
  readonly since: EpochMs;
  /** One line for the user: why, and what would mend it. */
  readonly reason?: string;
  /** When this was written, by the clock of the machine that ingests. */
  readonly at: EpochMs;
  /** Exchange's clock minus ours, ms; absent until the exchange has said its time, 0 for feeds without a clock of their own. */
  readonly clockOffsetMs?: number;
  /** Symbols that are not simply live. */
  readonly symbols: Readonly<Record<MarketSymbol, SymbolFeedState>>;
  /** `E` − `T`-independent lag of the newest trade: our receipt (on the exchange's clock) minus `E`, ms. */
  readonly feedDelayMs?: number;
}

export const FEED_STATUS_INTERVAL_MS = 1_000;

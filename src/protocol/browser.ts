// What the dashboard and the server say to each other over the WebSocket at /api/v1/live. Types only: cheap for the browser to import.
import type { Interval } from '../core/market/interval.ts';

/**
 * A candle on the wire to the browser; times in ms, decimals as text with 8 places:
 * [openTime, open, high, low, close, volume, quoteVolume, trades, takerBuyVolume,
 *  takerBuyQuoteVolume, firstTradeId|null, lastTradeId|null, revision, flags]
 * flags: 1 closed · 2 complete · 4 source is klines; a 1m candle's audit: 8 verified · 16 repaired ·
 * 32 differs · 64 unverified (none: no verdict yet).
 */
export type CandleRow = readonly [
  openTime: number,
  open: string,
  high: string,
  low: string,
  close: string,
  volume: string,
  quoteVolume: string,
  trades: number,
  takerBuyVolume: string,
  takerBuyQuoteVolume: string,
  firstTradeId: number | null,
  lastTradeId: number | null,
  revision: number,
  flags: number,
];

export const ROW_CLOSED = 1;
export const ROW_COMPLETE = 2;
export const ROW_FROM_KLINES = 4;
export const ROW_VERIFIED = 8;
export const ROW_REPAIRED = 16;
export const ROW_DIFFERS = 32;
export const ROW_UNVERIFIED = 64;

/** Browser → server. A later `watch` replaces the earlier: one view a connection. */
export type BrowserRequest =
  | {
      readonly type: 'watch';
      readonly symbol: string;
      readonly interval: Interval;
      readonly limit: number;
    }
  /** Answered with `pong`: measures the way and the clocks. `sentAt` comes back as it was. */
  | { readonly type: 'ping'; readonly sentAt: number };

export const SNAPSHOT_CANDLES_MAX = 2_000;

/** What the strip shows. `simulated`/`recording` come from `source`, beside the state. */
export interface StatusView {
  /** `no-feed`: the server itself has no news of the feed (its heartbeat stopped). */
  readonly state:
    | 'connecting'
    | 'catching-up'
    | 'live'
    | 'repairing'
    | 'stale'
    | 'offline'
    | 'no-feed';
  readonly since: number;
  readonly reason?: string;
  readonly source: {
    readonly kind: 'binance' | 'simulated' | 'recording';
    readonly id: string;
    readonly label: string;
  };
  /** Symbols that are not simply live. */
  readonly symbols: Readonly<Record<string, 'catching-up' | 'repairing' | 'stale'>>;
  /** Exchange's clock at `serverTime`, ms. */
  readonly exchangeTime: number;
  readonly serverTime: number;
  /** From the exchange's `E` to our receipt, ms, on the exchange's clock. */
  readonly feedDelayMs?: number;
  /** The store takes nothing now, and why: candles are still shown, but not kept. */
  readonly storeFault?: string;
  /** What the store takes on disk. */
  readonly storeBytes?: number;
}

/** The audit's standing for one symbol and UTC day: "1,440 of 1,440 verified today". */
export interface AuditDay {
  /** Start of the UTC day, exchange time, ms. */
  readonly day: number;
  /** 1m candles closed since then that were folded from trades. */
  readonly closed: number;
  readonly verified: number;
  readonly repaired: number;
  readonly differs: number;
  readonly unverified: number;
  /** 1m candles of the day that were taken from the exchange's klines: nothing is proven of them, and none is counted above. */
  readonly fromKlines: number;
  /** Open time of the first candle counted in `closed`; absent where there is none. */
  readonly since?: number;
}

/** GET /api/v1/audits/summary?symbol&day → a day's standing, and each of its minutes that is not simply verified. */
export interface AuditSummary {
  readonly symbol: string;
  /** Null where no minute has closed yet. */
  readonly audit: AuditDay | null;
  /** Newest first, at most `AUDIT_EXCEPTIONS_MAX`. */
  readonly exceptions: readonly {
    readonly openTime: number;
    readonly verdict: 'repaired' | 'differs' | 'unverified';
    readonly reason?: string;
  }[];
}

export const AUDIT_EXCEPTIONS_MAX = 100;

/** Server → browser. The heartbeat is `status`: at each change and at least every `HEARTBEAT_MS`. */
export type ServerMessage =
  | {
      readonly type: 'hello';
      readonly version: string;
      readonly symbols: readonly string[];
      readonly intervals: readonly Interval[];
      readonly status: StatusView;
      /** Whether what is missing can be fetched: `POST /api/v1/backfills`. Absent: no. */
      readonly canBackfill?: boolean;
    }
  /** Ascending, the open candle last (flag closed unset). `more`: the store holds older ones. */
  | {
      readonly type: 'snapshot';
      readonly symbol: string;
      readonly interval: Interval;
      readonly candles: readonly CandleRow[];
      readonly more: boolean;
    }
  /**
   * The rows that changed since the last message of this view, ascending, each the newest state of
   * its candle: for a slow reader many changes become one. `eventTime`: `E` of the newest trade in it.
   */
  | {
      readonly type: 'update';
      readonly symbol: string;
      readonly interval: Interval;
      readonly candles: readonly CandleRow[];
      readonly eventTime?: number;
      /** When the server sent it, its own clock. */
      readonly sentAt: number;
    }
  | { readonly type: 'status'; readonly status: StatusView }
  /** Of the symbol watched: with each snapshot, and when it changes, at most once a second. */
  | { readonly type: 'audit'; readonly symbol: string; readonly audit: AuditDay }
  /** Symbols were added or removed while running: the whole list. */
  | { readonly type: 'symbols'; readonly symbols: readonly string[] }
  | { readonly type: 'pong'; readonly sentAt: number; readonly serverTime: number }
  | { readonly type: 'error'; readonly message: string };

export const HEARTBEAT_MS = 1_000;

/**
 * GET /api/v1/candles?symbol&interval&before=<openTime>&limit → `{ candles: CandleRow[], more }`, ascending, openTime < before:
 * scrolling back. With `after` in place of `before` the next ones after it, across any gap.
 */
export interface CandlePage {
  readonly candles: readonly CandleRow[];
  readonly more: boolean;
}

/** An aggregate trade as the exchange's REST answers it. */
export interface TradeEntry {
  readonly a: number;
  readonly p: string;
  readonly q: string;
  readonly f: number;
  readonly l: number;
  readonly T: number;
  readonly m: boolean;
  readonly M: true;
}

/**
 * GET /api/v1/trades/explain?symbol&interval&openTime → the trades that made the candle; null where
 * none that is kept has that price. `complete`: all trades of the minutes they are of are kept.
 */
export interface CandleExplanation {
  readonly source: StatusView['source'];
  readonly symbol: string;
  readonly interval: Interval;
  readonly openTime: number;
  readonly revision: number;
  readonly complete: boolean;
  readonly open: TradeEntry | null;
  readonly high: TradeEntry | null;
  readonly low: TradeEntry | null;
  readonly close: TradeEntry | null;
}

// What `serve` knows of the market right now, for the HTTP and WebSocket servers: each key's open candle, the newest closed ones, the status.
import type { Audit } from '../core/audit/audit.ts';
import type { AggTrade } from '../core/market/agg-trade.ts';
import type { Candle, LiveCandle } from '../core/market/candle.ts';
import type { FeedStatus } from '../core/market/feed-status.ts';
import type { Interval } from '../core/market/interval.ts';
import type { Listing } from '../core/market/listing.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';

export type MarketEvent =
  | { readonly type: 'live'; readonly candle: LiveCandle }
  /** Closed for the first time, or (revision > 0) corrected. */
  | { readonly type: 'closed'; readonly candle: Candle }
  | { readonly type: 'trade'; readonly trade: AggTrade }
  /** A verdict on a closed minute, perhaps before that minute's candle or correction has been read. */
  | { readonly type: 'audit'; readonly audit: Audit }
  | { readonly type: 'status'; readonly status: FeedStatus }
  /** A symbol has come or gone: the whole list. */
  | { readonly type: 'symbols'; readonly symbols: readonly MarketSymbol[] };

/** A read model kept by the serve stage; everything in it is immutable once handed out. */
export interface LiveMarket {
  /** Symbols asked for at the start, then every symbol wished for or seen since, in that order; without those removed. */
  symbols(): readonly MarketSymbol[];
  live(symbol: MarketSymbol, interval: Interval): LiveCandle | undefined;
  /** The newest closed candles, ascending, at most `CLOSED_TAIL_MAX`: the store may not have them yet. Higher revision wins. */
  closedTail(symbol: MarketSymbol, interval: Interval): readonly Candle[];
  /** Newest trades, ascending by id, at most `TRADES_KEPT_MAX`. */
  recentTrades(symbol: MarketSymbol): readonly AggTrade[];
  /** The verdicts that came last, at most `AUDIT_TAIL_MAX`: the store may not have them yet. */
  auditTail(symbol: MarketSymbol): readonly Audit[];
  /** What the exchange lists; empty while that is not known. */
  listings(): ReadonlyMap<MarketSymbol, Listing>;
  status(): FeedStatus | undefined;
  /** Called in the order things happened; must not throw and must not block. Returns the way to stop. */
  subscribe(listener: (event: MarketEvent) => void): () => void;
}

export const CLOSED_TAIL_MAX = 64;
export const AUDIT_TAIL_MAX = 64;
export const TRADES_KEPT_MAX = 1_000;

// The port to a market: Binance, a simulated market, or a recording. It promises order and says how it is; it writes nothing.
import type { Candle } from '../core/market/candle.ts';
import type { Evidence, RepairRequest } from '../core/market/evidence.ts';
import type { FeedState, SymbolFeedState } from '../core/market/feed-status.ts';
import type { Listing } from '../core/market/listing.ts';
import type { RawTick } from '../core/market/raw-tick.ts';
import type { Source } from '../core/market/source.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { EpochMs } from '../core/market/time.ts';
import type { KlinePages } from './kline-history.ts';

/** Where a symbol goes on. */
export interface StartPoint {
  readonly symbol: MarketSymbol;
  /** End of the last closed minute already held; undefined: nothing held, start at the current minute. */
  readonly resumeFrom: EpochMs | undefined;
  /**
   * Where minutes held before `resumeFrom` have their oldest hole, undefined: nowhere. A process that ended while it fetched what it had
   * missed leaves one. Asked once, after the symbol has joined. Default: no hole.
   */
  readonly oldestHole?: (() => Promise<EpochMs | undefined>) | undefined;
}

export type FeedEvent =
  /**
   * Records for `raw_ticks`, in order. Per symbol: a `symbol` start, the closed klines that tile its
   * open windows (1d, then 1m, ascending), then trades in id order without holes, watermarks between.
   */
  | { readonly type: 'ticks'; readonly ticks: readonly RawTick[] }
  /** Closed candles of the past for the store, of one symbol and interval, ascending; never in `raw_ticks`. */
  | { readonly type: 'history'; readonly candles: readonly Candle[] }
  /** What the exchange says of closed minutes: its closed 1m klines as they come, and the answers to `ask`. */
  | { readonly type: 'evidence'; readonly evidence: Evidence }
  /** What the exchange lists: once known, and again when it has changed. */
  | { readonly type: 'listings'; readonly listings: readonly Listing[] }
  /** What was no trade: for `raw_ticks.dlq`. `payload` is what came, cut to `REJECTED_PAYLOAD_MAX` characters. */
  | { readonly type: 'rejected'; readonly reason: string; readonly payload: string }
  | {
      readonly type: 'state';
      readonly state: FeedState;
      readonly reason?: string;
      /** Symbols that are not simply live. */
      readonly symbols: ReadonlyMap<MarketSymbol, SymbolFeedState>;
    };

/** Requests of the audit that wait for their turn. */
export const REPAIRS_ASKED_MAX = 1_000;

export const REJECTED_PAYLOAD_MAX = 2_000;

/** Since the feed was made, of all symbols. */
export interface FeedCounts {
  /** Trades of the stream whose id was passed on already. */
  readonly duplicates: number;
  /** Trades whose single trades did not follow those before, though their id did. */
  readonly idJumps: number;
  /** Holes that nobody could fill in time: the stream went on without them. */
  readonly passedHoles: number;
}

export interface MarketFeed extends AsyncDisposable {
  readonly source: Source;
  /** Exchange's clock minus ours, ms; undefined until the exchange has said its time, 0 where the feed has no clock of its own. */
  readonly clockOffsetMs: number | undefined;
  /** Absent where ids are in doubt nowhere. */
  counts?(): FeedCounts;
  /**
   * Events until `signal` aborts (then it ends quietly), or, for a recording, until its end.
   * @throws FeedError where going on is pointless: an unknown symbol, no endpoint that may be used.
   */
  stream(starts: readonly StartPoint[], signal: AbortSignal): AsyncIterable<FeedEvent>;
  /**
   * Answered by the running stream's events, in time. Beyond `REPAIRS_ASKED_MAX` waiting requests it is
   * passed over: whoever asks, asks again.
   */
  ask(request: RepairRequest): void;
  /** Takes a symbol in while the stream runs; one already there is left as it is. A fault of it alone is a `rejected` event. */
  add(start: StartPoint): void;
  /** Ends a symbol's part of the running stream. */
  remove(symbol: MarketSymbol): void;
  /**
   * The market's past beside the running stream: within the same request limits, after all that is
   * more urgent. Absent where there is no past to ask for.
   */
  readonly history?: KlinePages;
}

/** A fault the feed cannot mend by trying again; the message names the value and the remedy. */
export class FeedError extends Error {
  override readonly name = 'FeedError';
  readonly code: 'unknown-symbol' | 'unreachable' | 'refused' | 'bad-recording' | 'bad-file';

  constructor(code: FeedError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

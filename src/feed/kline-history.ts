// The port to a market's past: closed candles of any span, asked for by whoever fills a store. Streams nothing live.
import type { Candle } from '../core/market/candle.ts';
import type { Interval } from '../core/market/interval.ts';
import type { Source } from '../core/market/source.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { EpochMs } from '../core/market/time.ts';

export interface HistorySpan {
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  /** Inclusive. */
  readonly from: EpochMs;
  /** Exclusive. */
  readonly to: EpochMs;
}

/** The past alone: of a feed that streams beside it, or of a `KlineHistory`. */
export interface KlinePages {
  /**
   * The market's clock, after it was asked that all of `symbols` exist.
   * @throws FeedError `unknown-symbol`, `refused`.
   */
  start(symbols: readonly MarketSymbol[], signal: AbortSignal): Promise<EpochMs>;
  /**
   * Closed candles that open in the span, oldest first, page by page; none for windows the market left out.
   * @throws FeedError; the signal's reason.
   */
  candles(span: HistorySpan, signal: AbortSignal): AsyncIterable<readonly Candle[]>;
}

export interface KlineHistory extends KlinePages, AsyncDisposable {
  readonly source: Source;
}

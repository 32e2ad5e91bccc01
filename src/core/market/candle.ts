// The candle: open, high, low, close and volumes of one window of one symbol.
import type { Decimal } from './decimal.ts';
import type { Interval } from './interval.ts';
import type { MarketSymbol } from './symbol.ts';
import type { EpochMs } from './time.ts';

/** Where a candle's numbers come from: folded here from trades, or (also in part) taken from the exchange's klines. */
export type CandleSource = 'trades' | 'klines';

/** Why a closed candle was published again. */
export type CorrectionReason = 'late-trade' | 'repair' | 'rolled-up-correction' | 'rounding';

/** Identity: `symbol`, `interval`, `openTime`. The highest `revision` of an identity is the truth. Never edited. */
export interface Candle {
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  /** Window start, inclusive. */
  readonly openTime: EpochMs;
  /** Last millisecond of the window. */
  readonly closeTime: EpochMs;
  readonly open: Decimal;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly close: Decimal;
  /** In base units. */
  readonly volume: Decimal;
  /** In quote units; each aggregate trade's price × quantity truncated to 8 places. */
  readonly quoteVolume: Decimal;
  /** Number of single trades (Binance's `n`). */
  readonly trades: number;
  readonly takerBuyVolume: Decimal;
  readonly takerBuyQuoteVolume: Decimal;
  /** Ids of single trades; −1 where there was none, undefined where unknown (klines by REST). */
  readonly firstTradeId: number | undefined;
  readonly lastTradeId: number | undefined;
  /** 0, and + 1 with each correction. */
  readonly revision: number;
  /** No trade of the window is known to be missing. */
  readonly complete: boolean;
  readonly source: CandleSource;
  readonly reason?: CorrectionReason;
}

/** A candle whose window may still be open, with the last aggregate trade folded into its symbol (−1: none). */
export interface LiveCandle extends Candle {
  readonly closed: boolean;
  readonly lastAggTradeId: number;
  /** `E` of the last trade in it: what the delay on the screen is measured from. Undefined before the first. */
  readonly eventTime?: EpochMs;
}

/** The numbers alone: what "equal to the exchange's candle" compares. Ids are compared only where both sides know them. */
export function sameCandleValues(a: Candle, b: Candle): boolean {
  return (
    a.openTime === b.openTime &&
    a.open === b.open &&
    a.high === b.high &&
    a.low === b.low &&
    a.close === b.close &&
    a.volume === b.volume &&
    a.quoteVolume === b.quoteVolume &&
    a.trades === b.trades &&
    a.takerBuyVolume === b.takerBuyVolume &&
    a.takerBuyQuoteVolume === b.takerBuyQuoteVolume &&
    sameId(a.firstTradeId, b.firstTradeId) &&
    sameId(a.lastTradeId, b.lastTradeId)
  );
}

function sameId(a: number | undefined, b: number | undefined): boolean {
  return a === undefined || b === undefined || a === b;
}

// One aggregate trade: all fills of one taker order at one price. The unit of truth of every candle.
import { type Decimal, decimalOf } from './decimal.ts';
import type { MarketSymbol } from './symbol.ts';
import type { EpochMs } from './time.ts';

/**
 * Prices and quantities are split into the part before the point and the 8 digits after it, both
 * whole numbers in doubles, so that the hot path makes no BigInt. A decoder may reuse one object
 * for many trades: who keeps a trade copies it.
 */
export interface AggTrade {
  readonly symbol: MarketSymbol;
  /** `a`: contiguous per symbol. */
  readonly aggTradeId: number;
  readonly priceInteger: number;
  readonly priceFraction: number;
  readonly quantityInteger: number;
  readonly quantityFraction: number;
  /** `f`, `l`: ids of the single trades within, both inclusive. */
  readonly firstTradeId: number;
  readonly lastTradeId: number;
  /** `T`: matched at the venue; event time here. */
  readonly tradeTime: EpochMs;
  /** `E`: sent by the venue; equals `tradeTime` where it is not known (REST). */
  readonly eventTime: EpochMs;
  /** `m`: true where the taker sold. */
  readonly buyerIsMaker: boolean;
}

/** No trade: it uses up its id, and nothing else. */
export function isVoid(trade: AggTrade): boolean {
  return (
    (trade.priceInteger === 0 && trade.priceFraction === 0) ||
    (trade.quantityInteger === 0 && trade.quantityFraction === 0)
  );
}

export function priceOf(trade: AggTrade): Decimal {
  return decimalOf(trade.priceInteger, trade.priceFraction);
}

export function quantityOf(trade: AggTrade): Decimal {
  return decimalOf(trade.quantityInteger, trade.quantityFraction);
}

// What the exchange lists, and what the user wants of it.
import type { MarketSymbol } from './symbol.ts';
import type { EpochMs } from './time.ts';

/** A symbol of the exchange (`exchangeInfo`); written to `listings` by ingest, key = symbol. */
export interface Listing {
  readonly symbol: MarketSymbol;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  /** The exchange's: TRADING, BREAK, HALT …; unknown values pass. */
  readonly status: string;
}

/** Written to `symbols` by whoever the user tells; followed by ingest; key = symbol, the newest counts. */
export interface SymbolWish {
  readonly symbol: MarketSymbol;
  readonly wanted: boolean;
  readonly at: EpochMs;
}

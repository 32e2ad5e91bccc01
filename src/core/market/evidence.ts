// What the exchange says of its closed minutes, beside the trades: for the audit. And what the audit asks for.
import type { Candle } from './candle.ts';
import type { MarketSymbol } from './symbol.ts';
import type { EpochMs } from './time.ts';

/** Written to `evidence` by ingest; key = symbol. Several of one minute may come, in any order with our own candles. */
export type Evidence =
  /** The exchange's closed 1m candle; ids are known from the stream's frame, not by REST. */
  | { readonly type: 'kline'; readonly via: 'stream' | 'rest'; readonly candle: Candle }
  /** Asked by REST, the exchange has no such minute. */
  | { readonly type: 'absent'; readonly symbol: MarketSymbol; readonly openTime: EpochMs }
  /** All trades of the minute were written to `raw_ticks` again, as a closed group. */
  | { readonly type: 'repaired'; readonly symbol: MarketSymbol; readonly openTime: EpochMs }
  /** The trades of the minute cannot be had, now or ever; `reason` is one line for the user. */
  | {
      readonly type: 'unrepairable';
      readonly symbol: MarketSymbol;
      readonly openTime: EpochMs;
      readonly reason: string;
    };

/** Written to `repairs` by the audit, answered by ingest through `evidence`; key = symbol. Asking twice does no harm. */
export type RepairRequest =
  /** The exchange's closed 1m candles by REST: each minute of `[from, to)` is answered by `kline` or `absent`. At most `KLINES_ASKED_MAX` minutes. */
  | {
      readonly type: 'klines';
      readonly symbol: MarketSymbol;
      readonly from: EpochMs;
      readonly to: EpochMs;
    }
  /** All trades of the minute again: `repair` parts in `raw_ticks`, then `repaired`; or `unrepairable`. */
  | { readonly type: 'trades'; readonly symbol: MarketSymbol; readonly openTime: EpochMs }
  /** Takes over the exchange's digits of a closed minute (I3, rounding): a `kline` record in `raw_ticks`. */
  | { readonly type: 'rounding'; readonly candle: Candle };

/** One page of the exchange's REST. */
export const KLINES_ASKED_MAX = 1_000;

// What folding a market yields. Plain facts; whoever runs the aggregation decides where they go.
import type { Candle } from '../market/candle.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import type { EpochMs } from '../market/time.ts';

export type AggregationEvent =
  /** A window is over, or taken from the exchange's klines: its first publication, revision 0. */
  | { readonly type: 'candle-closed'; readonly candle: Candle }
  /** A closed candle changed, also one that was published before a restart: revision + 1, with the reason. */
  | { readonly type: 'candle-corrected'; readonly candle: Candle }
  /** Trades `fromId`…`toId` (both inclusive) are missing; the minutes from `fromMinute` to `toMinute` lack them. */
  | {
      readonly type: 'hole';
      readonly symbol: MarketSymbol;
      readonly fromId: number;
      readonly toId: number;
      readonly fromMinute: EpochMs;
      readonly toMinute: EpochMs;
    }
  /** A correction is due for which not enough closed candles are kept: the store's business. */
  | {
      readonly type: 'out-of-reach';
      readonly symbol: MarketSymbol;
      readonly openTime: EpochMs;
    };

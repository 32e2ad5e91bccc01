// What the log's topic `raw_ticks` carries: trades, and the control records that make replay equal to live.
import type { AggTrade } from './agg-trade.ts';
import type { Candle } from './candle.ts';
import type { Decimal } from './decimal.ts';
import type { MarketSymbol } from './symbol.ts';
import type { EpochMs } from './time.ts';

/** No trade of `symbol` before `time` is missing or still to come; its last id before `time` is `aggTradeId` (−1: none ever).
 * Where `time` ends a minute, it is also the exchange's word that this minute exists, traded or not. */
export interface Watermark {
  readonly symbol: MarketSymbol;
  readonly time: EpochMs;
  readonly aggTradeId: number;
}

/**
 * A symbol's start (again): what the records after it build on. Closed 1m candles are known without
 * a hole from `minutesFrom` on, 1d from `daysFrom` on (klines that follow, or the store); a window
 * that opens earlier is not complete. `threeDayAnchor` is any open time of its 3d candles.
 */
export interface SymbolStart {
  readonly symbol: MarketSymbol;
  readonly time: EpochMs;
  readonly threeDayAnchor: EpochMs;
  readonly minutesFrom: EpochMs;
  readonly daysFrom: EpochMs;
  /** Close of the minute before `time`, where it is known: until the first trade, candles are flat at it. */
  readonly previousClose?: Decimal;
  /** The ids that follow are another series (a relisting, a reset test network): they begin anew, below the last. */
  readonly isNewSeries?: true;
}

/** All trades of one minute again, in parts of at most `REPAIR_PART_TRADES_MAX`, ordered by id. */
export interface RepairPart {
  readonly symbol: MarketSymbol;
  /** Open time of the minute. */
  readonly openTime: EpochMs;
  /** 0-based; the group is whole when `parts` parts with ascending `part` came in a row. */
  readonly part: number;
  readonly parts: number;
  readonly trades: readonly AggTrade[];
  /** Of the first trade after the minute, where there is one yet: until then its close stands. */
  readonly nextTradeTime?: EpochMs;
}

/** One page of the exchange's REST answer: keeps each record far below a broker's message limit. */
export const REPAIR_PART_TRADES_MAX = 1_000;

/** An id that is used up by no trade: the exchange's REST says so by a price or quantity of zero. It enters no candle. */
export interface VoidTrade {
  readonly symbol: MarketSymbol;
  readonly aggTradeId: number;
  readonly tradeTime: EpochMs;
}

export type RawTick =
  | { readonly type: 'aggTrade'; readonly trade: AggTrade }
  | { readonly type: 'void'; readonly trade: VoidTrade }
  | { readonly type: 'watermark'; readonly watermark: Watermark }
  | { readonly type: 'kline'; readonly candle: Candle }
  | { readonly type: 'symbol'; readonly start: SymbolStart }
  | { readonly type: 'repair'; readonly repair: RepairPart };

export function symbolOfTick(tick: RawTick): MarketSymbol {
  switch (tick.type) {
    case 'aggTrade':
    case 'void':
      return tick.trade.symbol;
    case 'watermark':
      return tick.watermark.symbol;
    case 'kline':
      return tick.candle.symbol;
    case 'symbol':
      return tick.start.symbol;
    case 'repair':
      return tick.repair.symbol;
  }
}

/** The record's event time: what its log timestamp is. */
export function timeOfTick(tick: RawTick): EpochMs {
  switch (tick.type) {
    case 'aggTrade':
    case 'void':
      return tick.trade.tradeTime;
    case 'watermark':
      return tick.watermark.time;
    case 'kline':
      return tick.candle.openTime;
    case 'symbol':
      return tick.start.time;
    case 'repair':
      return tick.repair.openTime;
  }
}

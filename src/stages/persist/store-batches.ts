// What persist reads → what it writes at once. In the order of the log: a trade is written with or before the candle that holds it, so that a
// restart, which goes on after the last candle, finds every trade before it.
import { type AggTrade, isVoid } from '../../core/market/agg-trade.ts';
import type { Candle } from '../../core/market/candle.ts';
import type { RawTick, SymbolStart, VoidTrade } from '../../core/market/raw-tick.ts';

/** Candles written at once, about: the embedded store is synchronous, and some 10 ms delay no chart. */
export const WRITE_CANDLES_MAX = 2_000;
/** Trades, likewise. */
export const WRITE_TRADES_MAX = 2_000;

export type Persisted = Candle | RawTick;

export type StoreBatch =
  | {
      readonly type: 'write';
      readonly candles: readonly Candle[];
      readonly trades: readonly AggTrade[];
    }
  /** The ids that follow begin anew: what was kept under them goes first. */
  | { readonly type: 'new-series'; readonly start: SymbolStart };

/**
 * Parts of about `WRITE_CANDLES_MAX` and `WRITE_TRADES_MAX`, in order. A minute and the longer candles
 * that follow from it stay in one part: a kill between two parts then leaves no minute without them.
 */
export function* batchesOf(records: readonly Persisted[]): Generator<StoreBatch> {
  let candles: Candle[] = [];
  let trades: AggTrade[] = [];
  function* flush(): Generator<StoreBatch> {
    if (candles.length + trades.length === 0) return;
    yield { type: 'write', candles, trades };
    candles = [];
    trades = [];
  }
  for (const record of records) {
    const isFull = candles.length >= WRITE_CANDLES_MAX || trades.length >= WRITE_TRADES_MAX;
    if (isFull && beginsAnew(record)) yield* flush();
    if (!('type' in record)) candles.push(record);
    else if (record.type === 'symbol' && record.start.isNewSeries === true) {
      yield* flush();
      yield { type: 'new-series', start: record.start };
    } else trades.push(...tradesOf(record));
  }
  yield* flush();
}

/** Whether nothing before it belongs into one part with it. */
function beginsAnew(record: Persisted): boolean {
  return 'type' in record || record.interval === '1s' || record.interval === '1m';
}

/** Those of a repair too: they may be the ones that were missing. */
function tradesOf(tick: RawTick): readonly AggTrade[] {
  switch (tick.type) {
    case 'aggTrade':
      return [tick.trade];
    case 'void':
      return [placeOf(tick.trade)];
    case 'repair':
      return tick.repair.trades.filter((trade) => !isVoid(trade));
    default:
      return [];
  }
}

function placeOf({ symbol, aggTradeId, tradeTime }: VoidTrade): AggTrade {
  return {
    ...{ symbol, aggTradeId, tradeTime, eventTime: tradeTime },
    ...{ priceInteger: 0, priceFraction: 0, quantityInteger: 0, quantityFraction: 0 },
    ...{ firstTradeId: -1, lastTradeId: -1, buyerIsMaker: false },
  };
}

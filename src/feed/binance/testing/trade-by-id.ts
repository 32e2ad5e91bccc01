// A trade that matters by its id and time alone: what the tests of ids share.
import type { AggTrade } from '../../../core/market/agg-trade.ts';
import { marketSymbol } from '../../../core/market/symbol.ts';
import { epochMs } from '../../../core/market/time.ts';

export function tradeById(aggTradeId: number, tradeTime = aggTradeId): AggTrade {
  return {
    symbol: marketSymbol('BTCUSDT'),
    aggTradeId,
    priceInteger: 90_000,
    priceFraction: 0,
    quantityInteger: 1,
    quantityFraction: 0,
    firstTradeId: aggTradeId,
    lastTradeId: aggTradeId,
    tradeTime: epochMs(tradeTime),
    eventTime: epochMs(tradeTime),
    buyerIsMaker: false,
  };
}

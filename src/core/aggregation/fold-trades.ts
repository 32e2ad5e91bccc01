// All trades of one window, again, as one candle: for repairs. Trusts that they are all, and that they are ordered by id.
import type { AggTrade } from '../market/agg-trade.ts';
import type { Candle } from '../market/candle.ts';
import type { Decimal } from '../market/decimal.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import type { EpochMs } from '../market/time.ts';
import { CandleAccumulator, QuoteValue } from './candle-accumulator.ts';
import { emptyCandle } from './merge-candles.ts';

/** Revision 0, complete. Without trades it is flat at `previousClose`; undefined where that is unknown. */
export function foldTrades(
  { symbol, interval, openTime }: FoldedWindow,
  trades: readonly AggTrade[],
  previousClose: Decimal | undefined,
): Candle | undefined {
  const window = new CandleAccumulator();
  const quote = new QuoteValue();
  for (const trade of trades) {
    quote.set(trade);
    window.add(trade, quote);
  }
  if (window.trades > 0) return window.candle(symbol, interval, openTime, true);
  if (previousClose === undefined) return undefined;
  return emptyCandle(symbol, interval, openTime, previousClose, true);
}

export interface FoldedWindow {
  readonly symbol: MarketSymbol;
  readonly interval: '1s' | '1m';
  readonly openTime: EpochMs;
}

// Which of the kept trades answer a question, by the exchange's rule. Says so where the answer would need older ones: never a page with a hole.
import type { AggTrade } from '../../core/market/agg-trade.ts';
import type { EpochMs } from '../../core/market/time.ts';
import { type BinanceError, binanceErrors } from './binance-error.ts';

export interface AggTradesQuery {
  readonly fromId: number | undefined;
  /** Both inclusive. */
  readonly startTime: EpochMs | undefined;
  readonly endTime: EpochMs | undefined;
  readonly limit: number;
}

/**
 * `kept` ascending by id, without holes. No bounds: the newest; `fromId` or `startTime`: the first
 * from there; `endTime` alone: the last up to it.
 * @see binance-spot-api-docs, rest-api.md, "Compressed/Aggregate trades list"
 */
export function selectAggTrades(
  kept: readonly AggTrade[],
  { fromId, startTime, endTime, limit }: AggTradesQuery,
): readonly AggTrade[] | BinanceError {
  const oldest = kept[0];
  if (fromId !== undefined) {
    if (startTime !== undefined || endTime !== undefined) return binanceErrors.badCombination();
    if (oldest === undefined || fromId < oldest.aggTradeId) return notKept('fromId', oldest);
    return kept.filter(({ aggTradeId }) => aggTradeId >= fromId).slice(0, limit);
  }
  const until = (trade: AggTrade): boolean => endTime === undefined || trade.tradeTime <= endTime;
  if (startTime !== undefined) {
    // Trades of the oldest one's own millisecond may have gone already.
    if (oldest === undefined || startTime <= oldest.tradeTime) return notKept('startTime', oldest);
    return kept.filter((trade) => trade.tradeTime >= startTime && until(trade)).slice(0, limit);
  }
  const newest = kept.filter(until).slice(-limit);
  return newest.length === 0 ? notKept('endTime', oldest) : newest;
}

function notKept(parameter: string, oldest: AggTrade | undefined): BinanceError {
  const kept =
    oldest === undefined
      ? 'no trade is kept here yet'
      : `the oldest trade kept here is ${oldest.aggTradeId} of ${oldest.tradeTime}`;
  return binanceErrors.invalid(parameter, ` Older trades are not kept: ${kept}.`);
}

// How a candle of ours differs from the true one, in words. Compares every field; only ids that the exchange's REST never says may be unknown.
import type { Candle } from '../../src/core/market/candle.ts';
import { formatDecimal } from '../../src/core/market/decimal.ts';
import type { TruthCandle } from '../fake-exchange/truth.ts';

/** Failures told of one kind; the others are counted. */
export const TOLD_MAX = 5;

/** What is wrong with a closed candle; `undefined`: nothing. */
export function differenceOf(candle: Candle, expected: TruthCandle): string | undefined {
  if (!candle.complete) return 'not complete';
  const [first, last] = [candle.firstTradeId, candle.lastTradeId];
  if (candle.source === 'trades' && (first === undefined || last === undefined)) {
    return 'folded from trades, but without ids';
  }
  const own: Record<string, string | number> = {
    openTime: candle.openTime,
    closeTime: candle.closeTime,
    open: formatDecimal(candle.open),
    high: formatDecimal(candle.high),
    low: formatDecimal(candle.low),
    close: formatDecimal(candle.close),
    volume: formatDecimal(candle.volume),
    quoteVolume: formatDecimal(candle.quoteVolume),
    trades: candle.trades,
    takerBuyVolume: formatDecimal(candle.takerBuyVolume),
    takerBuyQuoteVolume: formatDecimal(candle.takerBuyQuoteVolume),
    firstTradeId: first ?? expected.firstTradeId,
    lastTradeId: last ?? expected.lastTradeId,
  };
  const wrong = Object.entries(expected).filter(([field, value]) => own[field] !== value);
  if (wrong.length === 0) return undefined;
  return wrong.map(([field, value]) => `${field} is ${own[field]}, not ${value}`).join('; ');
}

export function shortened(failures: readonly string[]): string[] {
  if (failures.length <= TOLD_MAX) return [...failures];
  return [...failures.slice(0, TOLD_MAX), `… and ${failures.length - TOLD_MAX} more like these`];
}

export function iso(time: number): string {
  return new Date(time).toISOString();
}

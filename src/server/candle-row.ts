// A candle as the dashboard's row, as JSON text: written once, sent to many.
import type { Candle, LiveCandle } from '../core/market/candle.ts';
import { formatDecimal } from '../core/market/decimal.ts';
import { type CandleRow, ROW_CLOSED, ROW_COMPLETE, ROW_FROM_KLINES } from '../protocol/browser.ts';

/** From the store and the closed topics (always closed), or a live one that says so itself. */
export type AnyCandle = Candle | LiveCandle;

export function isClosed(candle: AnyCandle): boolean {
  return !('closed' in candle) || candle.closed;
}

export function candleRow(candle: AnyCandle): CandleRow {
  return [
    candle.openTime,
    formatDecimal(candle.open),
    formatDecimal(candle.high),
    formatDecimal(candle.low),
    formatDecimal(candle.close),
    formatDecimal(candle.volume),
    formatDecimal(candle.quoteVolume),
    candle.trades,
    formatDecimal(candle.takerBuyVolume),
    formatDecimal(candle.takerBuyQuoteVolume),
    candle.firstTradeId ?? null,
    candle.lastTradeId ?? null,
    candle.revision,
    (isClosed(candle) ? ROW_CLOSED : 0) |
      (candle.complete ? ROW_COMPLETE : 0) |
      (candle.source === 'klines' ? ROW_FROM_KLINES : 0),
  ];
}

export function candleRowText(candle: AnyCandle): string {
  return JSON.stringify(candleRow(candle));
}

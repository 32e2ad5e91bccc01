// Rolls candles up: shorter ones, in time order, into the one window that holds them. Sums and extremes only.
import type { Candle } from '../market/candle.ts';
import type { Decimal } from '../market/decimal.ts';
import { closeTimeOf, type Interval } from '../market/interval.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import type { EpochMs } from '../market/time.ts';

/** `candle` as the first part of the longer window that opens at `openTime`. */
export function widen(candle: Candle, interval: Interval, openTime: EpochMs): Candle {
  const { reason: _, ...rest } = candle;
  return { ...rest, interval, openTime, closeTime: closeTimeOf(interval, openTime), revision: 0 };
}

/**
 * `window` with `part` added, which comes after it in time. A part without trades changes no price:
 * the exchange opens a candle with its first trade, however many empty minutes went before. Open is
 * the lowest id's and close the highest's, also where a late trade's id belongs to a later part.
 * Complete if both are; from klines if either is.
 */
export function mergeCandles(window: Candle, part: Candle): Candle {
  const traded = part.trades === 0 ? window : part;
  const isFirst = window.trades === 0;
  const first = isFirst || isBefore(traded.firstTradeId, window.firstTradeId) ? traded : window;
  const last = isFirst || !isBefore(traded.lastTradeId, window.lastTradeId) ? traded : window;
  return {
    symbol: window.symbol,
    interval: window.interval,
    openTime: window.openTime,
    closeTime: window.closeTime,
    open: first.open,
    high: isFirst || traded.high > window.high ? traded.high : window.high,
    low: isFirst || traded.low < window.low ? traded.low : window.low,
    close: last.close,
    volume: window.volume + part.volume,
    quoteVolume: window.quoteVolume + part.quoteVolume,
    trades: window.trades + part.trades,
    takerBuyVolume: window.takerBuyVolume + part.takerBuyVolume,
    takerBuyQuoteVolume: window.takerBuyQuoteVolume + part.takerBuyQuoteVolume,
    firstTradeId: first.firstTradeId,
    lastTradeId: last.lastTradeId,
    revision: window.revision,
    complete: window.complete && part.complete,
    source: window.source === 'klines' || part.source === 'klines' ? 'klines' : 'trades',
  };
}

/** Both ids known, and `a` the lower. */
function isBefore(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && b !== undefined && a < b;
}

/** A window without trades: flat at the close before it (I4). */
export function emptyCandle(
  symbol: MarketSymbol,
  interval: Interval,
  openTime: EpochMs,
  previousClose: Decimal,
  complete: boolean,
): Candle {
  return {
    symbol,
    interval,
    openTime,
    closeTime: closeTimeOf(interval, openTime),
    open: previousClose,
    high: previousClose,
    low: previousClose,
    close: previousClose,
    volume: 0n,
    quoteVolume: 0n,
    trades: 0,
    takerBuyVolume: 0n,
    takerBuyQuoteVolume: 0n,
    firstTradeId: -1,
    lastTradeId: -1,
    revision: 0,
    complete,
    source: 'trades',
  };
}

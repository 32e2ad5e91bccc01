// Candles and trades in the exchange's own JSON: its rows, its events, its order of keys.
import type { AggTrade } from '../../core/market/agg-trade.ts';
import { DECIMAL_PLACES, formatDecimal } from '../../core/market/decimal.ts';
import type { EpochMs } from '../../core/market/time.ts';
import type { AnyCandle } from '../candle-row.ts';

/** A row of `GET /api/v3/klines`: twelve columns. */
export function klineRow(candle: AnyCandle): readonly (string | number)[] {
  return [
    candle.openTime,
    formatDecimal(candle.open),
    formatDecimal(candle.high),
    formatDecimal(candle.low),
    formatDecimal(candle.close),
    formatDecimal(candle.volume),
    candle.closeTime,
    formatDecimal(candle.quoteVolume),
    candle.trades,
    formatDecimal(candle.takerBuyVolume),
    formatDecimal(candle.takerBuyQuoteVolume),
    '0',
  ];
}

/** The `kline` event. Where the trades' ids are not known (candles from klines by REST) they are −1: the event has no word for it. */
export function klineEvent(candle: AnyCandle, eventTime: EpochMs, isClosed: boolean): string {
  return JSON.stringify({
    e: 'kline',
    E: eventTime,
    s: candle.symbol,
    k: {
      t: candle.openTime,
      T: candle.closeTime,
      s: candle.symbol,
      i: candle.interval,
      f: candle.firstTradeId ?? -1,
      L: candle.lastTradeId ?? -1,
      o: formatDecimal(candle.open),
      c: formatDecimal(candle.close),
      h: formatDecimal(candle.high),
      l: formatDecimal(candle.low),
      v: formatDecimal(candle.volume),
      n: candle.trades,
      x: isClosed,
      q: formatDecimal(candle.quoteVolume),
      V: formatDecimal(candle.takerBuyVolume),
      Q: formatDecimal(candle.takerBuyQuoteVolume),
      B: '0',
    },
  });
}

/** The `aggTrade` event. */
export function aggTradeEvent(trade: AggTrade): string {
  return `{"e":"aggTrade","E":${trade.eventTime},"s":${JSON.stringify(trade.symbol)},${tradeFields(trade)}}`;
}

/** An entry of `GET /api/v3/aggTrades`. */
export function aggTradeEntry(trade: AggTrade): string {
  return `{${tradeFields(trade)}}`;
}

function tradeFields(trade: AggTrade): string {
  const price = decimalText(trade.priceInteger, trade.priceFraction);
  const quantity = decimalText(trade.quantityInteger, trade.quantityFraction);
  return `"a":${trade.aggTradeId},"p":"${price}","q":"${quantity}","f":${trade.firstTradeId},"l":${trade.lastTradeId},"T":${trade.tradeTime},"m":${trade.buyerIsMaker},"M":true`;
}

function decimalText(integer: number, fraction: number): string {
  return `${integer}.${String(fraction).padStart(DECIMAL_PLACES, '0')}`;
}

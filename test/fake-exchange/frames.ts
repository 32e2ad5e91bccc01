// The texts of the stream's events: key order and types as in real captures. Pure.
import type { Interval } from './calendar.ts';
import type { AggTrade, TruthCandle } from './truth.ts';

/** `<symbol>@aggTrade`; `eventTime` (E) in ms. */
export function aggTradeEvent(symbol: string, trade: AggTrade, eventTime: number): string {
  const { a, p, q, f, l, T, m } = trade;
  return `{"e":"aggTrade","E":${eventTime},"s":"${symbol}","a":${a},"p":"${p}","q":"${q}","f":${f},"l":${l},"T":${T},"m":${m},"M":true}`;
}

/** `<symbol>@kline_<interval>`. */
export function klineEvent(
  symbol: string,
  interval: Interval,
  candle: TruthCandle,
  closed: boolean,
  eventTime: number,
): string {
  const k = {
    t: candle.openTime,
    T: candle.closeTime,
    s: symbol,
    i: interval,
    f: candle.firstTradeId,
    L: candle.lastTradeId,
    o: candle.open,
    c: candle.close,
    h: candle.high,
    l: candle.low,
    v: candle.volume,
    n: candle.trades,
    x: closed,
    q: candle.quoteVolume,
    V: candle.takerBuyVolume,
    Q: candle.takerBuyQuoteVolume,
    B: '0',
  };
  return JSON.stringify({ e: 'kline', E: eventTime, s: symbol, k });
}

/** `<symbol>@miniTicker`, and an element of `!miniTicker@arr`. */
export function miniTickerEvent(symbol: string, candle: TruthCandle, eventTime: number): string {
  return JSON.stringify({
    e: '24hrMiniTicker',
    E: eventTime,
    s: symbol,
    c: candle.close,
    o: candle.open,
    h: candle.high,
    l: candle.low,
    v: candle.volume,
    q: candle.quoteVolume,
  });
}

export const SHUTDOWN_STREAM = '!serverShutdown';

export function shutdownEvent(eventTime: number): string {
  return `{"e":"serverShutdown","E":${eventTime}}`;
}

/** What a connection of combined streams gets instead of the raw event. */
export function combinedText(stream: string, event: string): string {
  return `{"stream":"${stream}","data":${event}}`;
}

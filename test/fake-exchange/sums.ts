// The sums of one candle window in BigInt, how a trade is folded in and how sums are joined.
import { fromScaled, SCALE, toScaled } from './decimal.ts';
import type { TradeList } from './trade-list.ts';
import type { TruthCandle } from './truth.ts';

/** Sums over one window; prices and volumes scaled by 1e8. `trades` is 0 for an empty window. */
export interface Sums {
  open: bigint;
  high: bigint;
  low: bigint;
  close: bigint;
  volume: bigint;
  quoteVolume: bigint;
  takerBuyVolume: bigint;
  takerBuyQuoteVolume: bigint;
  trades: number;
  firstTradeId: number;
  lastTradeId: number;
}

/** A window in which nothing was traded, at the previous close. */
export function emptySums(price: bigint): Sums {
  return {
    open: price,
    high: price,
    low: price,
    close: price,
    volume: 0n,
    quoteVolume: 0n,
    takerBuyVolume: 0n,
    takerBuyQuoteVolume: 0n,
    trades: 0,
    firstTradeId: -1,
    lastTradeId: -1,
  };
}

/** Folds the trade at `index` into `sums`, in place; `undefined` starts a window. */
export function foldTrade(sums: Sums | undefined, list: TradeList, index: number): Sums {
  const [price, quantity] = [list.price(index), list.quantity(index)];
  const trade = list.at(index);
  const into = sums ?? { ...emptySums(price), firstTradeId: trade.f };
  const quote = (price * quantity) / SCALE;
  if (price > into.high) into.high = price;
  if (price < into.low) into.low = price;
  into.close = price;
  into.volume += quantity;
  into.quoteVolume += quote;
  if (!trade.m) {
    into.takerBuyVolume += quantity;
    into.takerBuyQuoteVolume += quote;
  }
  into.trades += trade.l - trade.f + 1;
  into.lastTradeId = trade.l;
  return into;
}

/** Joins neighbouring windows, oldest first: empty ones count only if all are empty. */
export function joinSums(parts: readonly Sums[]): Sums | undefined {
  const last = parts.at(-1);
  const traded = parts.filter(({ trades }) => trades > 0);
  const first = traded[0];
  if (first === undefined) return last && emptySums(last.close);
  const joined = { ...first };
  for (const part of traded.slice(1)) {
    if (part.high > joined.high) joined.high = part.high;
    if (part.low < joined.low) joined.low = part.low;
    joined.close = part.close;
    joined.volume += part.volume;
    joined.quoteVolume += part.quoteVolume;
    joined.takerBuyVolume += part.takerBuyVolume;
    joined.takerBuyQuoteVolume += part.takerBuyQuoteVolume;
    joined.trades += part.trades;
    joined.lastTradeId = part.lastTradeId;
  }
  return joined;
}

/** Sums as a candle of decimal strings. `end` is the next window's start. */
export function toCandle(sums: Sums, openTime: number, end: number): TruthCandle {
  return {
    openTime,
    closeTime: end - 1,
    open: fromScaled(sums.open),
    high: fromScaled(sums.high),
    low: fromScaled(sums.low),
    close: fromScaled(sums.close),
    volume: fromScaled(sums.volume),
    quoteVolume: fromScaled(sums.quoteVolume),
    trades: sums.trades,
    takerBuyVolume: fromScaled(sums.takerBuyVolume),
    takerBuyQuoteVolume: fromScaled(sums.takerBuyQuoteVolume),
    firstTradeId: sums.firstTradeId,
    lastTradeId: sums.lastTradeId,
  };
}

/** The inverse of {@link toCandle}; a kline by REST has no ids, they are −1. */
export function toSums(candle: Omit<TruthCandle, 'openTime' | 'closeTime'>): Sums {
  return {
    open: toScaled(candle.open),
    high: toScaled(candle.high),
    low: toScaled(candle.low),
    close: toScaled(candle.close),
    volume: toScaled(candle.volume),
    quoteVolume: toScaled(candle.quoteVolume),
    takerBuyVolume: toScaled(candle.takerBuyVolume),
    takerBuyQuoteVolume: toScaled(candle.takerBuyQuoteVolume),
    trades: candle.trades,
    firstTradeId: candle.firstTradeId,
    lastTradeId: candle.lastTradeId,
  };
}

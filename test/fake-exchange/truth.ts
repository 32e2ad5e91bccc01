// What is true: candles straight from a list of trades, by BigInt and nothing clever.
// Imports nothing from the product and nothing of the fake's own faster market.
import { type Interval, nextOpenTime, openTimeOf } from './calendar.ts';
import { fromScaled, SCALE, toScaled } from './decimal.ts';

/** An aggregate trade, as the exchange's REST and streams name its fields. */
export interface AggTrade {
  readonly a: number;
  readonly p: string;
  readonly q: string;
  readonly f: number;
  readonly l: number;
  /** Trade time, ms. */
  readonly T: number;
  /** Buyer is maker: the taker sold. */
  readonly m: boolean;
}

/** A candle in decimal strings of 8 places; times in ms; ids −1 where there was no trade. */
export interface TruthCandle {
  readonly openTime: number;
  readonly closeTime: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly quoteVolume: string;
  readonly trades: number;
  readonly takerBuyVolume: string;
  readonly takerBuyQuoteVolume: string;
  readonly firstTradeId: number;
  readonly lastTradeId: number;
}

export interface TruthOptions {
  /** Any moment of the symbol's first day, for 3d. Default: the epoch. */
  readonly anchor?: number;
  /** Empty windows are listed from here (needs `previousClose`). Default: the first trade's window. */
  readonly from?: number;
  /** Windows that begin before this are listed. Default: up to the last trade's window. */
  readonly to?: number;
  /** Close of the window before `from`, for windows without a trade before the first trade. */
  readonly previousClose?: string;
  /** Ranges `[from, to)` in which the exchange was down: windows wholly inside do not exist. */
  readonly outages?: readonly (readonly [from: number, to: number])[];
}

/**
 * The candles of `trades` for one interval, oldest first, without holes but for outages.
 * Trades may come in any order and repeat: they are taken once each, by id.
 */
export function truthCandles(
  trades: Iterable<AggTrade>,
  interval: Interval,
  options: TruthOptions = {},
): TruthCandle[] {
  const anchor = options.anchor ?? 0;
  const windows = Map.groupBy(inIdOrder(trades), ({ T }) => openTimeOf(interval, T, anchor));
  const opens = [...windows.keys()];
  const first = options.from ?? opens.reduce((low, open) => Math.min(low, open), Infinity);
  const end = options.to ?? opens.reduce((high, open) => Math.max(high, open), -Infinity) + 1;
  if (!Number.isFinite(first) || !Number.isFinite(end)) return [];

  const candles: TruthCandle[] = [];
  let close = options.previousClose;
  for (
    let openTime = openTimeOf(interval, first, anchor);
    openTime < end;
    openTime = nextOpenTime(interval, openTime)
  ) {
    const inWindow = windows.get(openTime);
    const candle: TruthCandle | undefined = inWindow
      ? candleOf(inWindow, interval, openTime)
      : emptyCandle(close, interval, openTime);
    if (candle === undefined || isOutage(options.outages ?? [], interval, openTime)) continue;
    candles.push(candle);
    close = candle.close;
  }
  return candles;
}

function inIdOrder(trades: Iterable<AggTrade>): AggTrade[] {
  const byId = new Map<number, AggTrade>();
  for (const trade of trades) byId.set(trade.a, trade);
  return [...byId.values()].sort((left, right) => left.a - right.a);
}

function candleOf(trades: readonly AggTrade[], interval: Interval, openTime: number): TruthCandle {
  const [first, last] = [trades[0], trades.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('Expected a trade, had none');
  let [high, low] = [toScaled(first.p), toScaled(first.p)];
  let [volume, quoteVolume, takerBuyVolume, takerBuyQuoteVolume] = [0n, 0n, 0n, 0n];
  let count = 0;
  for (const trade of trades) {
    const [price, quantity] = [toScaled(trade.p), toScaled(trade.q)];
    // The exchange truncates each trade's quote value to 8 places before it adds.
    const quote = (price * quantity) / SCALE;
    if (price > high) high = price;
    if (price < low) low = price;
    volume += quantity;
    quoteVolume += quote;
    takerBuyVolume += trade.m ? 0n : quantity;
    takerBuyQuoteVolume += trade.m ? 0n : quote;
    count += trade.l - trade.f + 1;
  }
  return {
    openTime,
    closeTime: nextOpenTime(interval, openTime) - 1,
    open: fromScaled(toScaled(first.p)),
    high: fromScaled(high),
    low: fromScaled(low),
    close: fromScaled(toScaled(last.p)),
    volume: fromScaled(volume),
    quoteVolume: fromScaled(quoteVolume),
    trades: count,
    takerBuyVolume: fromScaled(takerBuyVolume),
    takerBuyQuoteVolume: fromScaled(takerBuyQuoteVolume),
    firstTradeId: first.f,
    lastTradeId: last.l,
  };
}

function emptyCandle(
  previousClose: string | undefined,
  interval: Interval,
  openTime: number,
): TruthCandle | undefined {
  if (previousClose === undefined) return undefined;
  const [price, nothing] = [fromScaled(toScaled(previousClose)), fromScaled(0n)];
  return {
    openTime,
    closeTime: nextOpenTime(interval, openTime) - 1,
    open: price,
    high: price,
    low: price,
    close: price,
    volume: nothing,
    quoteVolume: nothing,
    trades: 0,
    takerBuyVolume: nothing,
    takerBuyQuoteVolume: nothing,
    firstTradeId: -1,
    lastTradeId: -1,
  };
}

function isOutage(
  outages: readonly (readonly [number, number])[],
  interval: Interval,
  openTime: number,
): boolean {
  const end = nextOpenTime(interval, openTime);
  return outages.some(([from, to]) => from <= openTime && end <= to);
}

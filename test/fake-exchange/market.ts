// The exchange's memory: symbols, their trades, their candles. No sockets and no clock: every
// question says as of when it is asked. Refuses unknown symbols and trades out of order.

import { type Interval, nextOpenTime, openTimeOf } from './calendar.ts';
import { type CandleBook, createCandleBook } from './candle-book.ts';
import { createTradeList, type TradeList } from './trade-list.ts';
import type { AggTrade, TruthCandle } from './truth.ts';

export interface SymbolOptions {
  /** Upper case, e.g. `BTCUSDT`. */
  readonly symbol: string;
  /** Default: split before a known quote asset (`USDT`, `BTC`, …). */
  readonly baseAsset?: string;
  readonly quoteAsset?: string;
  /** Default `0.01000000` / `0.00001000`. */
  readonly tickSize?: string;
  readonly stepSize?: string;
  /** Default `TRADING`. */
  readonly status?: string;
  /** Any moment (ms) of the first day of trading: the anchor of 3d. Default: first trade or kline. */
  readonly onboardTime?: number;
  /** Ranges `[from, to)` in which the exchange was down. */
  readonly outages?: readonly (readonly [from: number, to: number])[];
  /** Official klines before the first trade. Give 1m, 1h and 1d that agree with each other. */
  readonly klines?: Partial<Record<Interval, readonly TruthCandle[]>>;
  /** Trades that happened before the exchange was started: known to REST, not sent on streams. */
  readonly trades?: Iterable<AggTrade>;
}

export interface SymbolState {
  readonly options: SymbolOptions;
  status: string;
  readonly trades: TradeList;
  readonly book: CandleBook;
  readonly outages: (readonly [from: number, to: number])[];
  anchor(): number;
}

/** Which rows: the ordering rules are REST's (`startTime`, `endTime` inclusive, ms). */
export interface Range {
  readonly startTime?: number | undefined;
  readonly endTime?: number | undefined;
  readonly limit: number;
}

export interface Market {
  /** Adds a symbol, also later on. Throws if it is there already. */
  addSymbol(options: SymbolOptions): void;
  symbols(): readonly SymbolState[];
  /** `undefined` for an unknown symbol. */
  find(symbol: string): SymbolState | undefined;
  /** Makes trades known, in id and time order. Throws on disorder or an unknown symbol. */
  append(symbol: string, trades: Iterable<AggTrade>): void;
  addKlines(symbol: string, interval: Interval, candles: readonly TruthCandle[]): void;
  setStatus(symbol: string, status: string): void;
  /** Windows wholly inside `[from, to)` cease to exist. */
  addOutage(symbol: string, from: number, to: number): void;
  /** Start of the window that holds `time`. */
  openTime(symbol: string, interval: Interval, time: number): number;
  /** The candle that opens at `openTime`; `undefined` where the exchange has none. */
  candle(
    symbol: string,
    interval: Interval,
    openTime: number,
    asOf: number,
  ): TruthCandle | undefined;
  /** Candles, oldest first, by REST's window rule. */
  candles(symbol: string, interval: Interval, range: Range, asOf: number): TruthCandle[];
  /** Trades, oldest first, by REST's window rule or from an id on. */
  trades(symbol: string, range: Range & { fromId?: number | undefined }, asOf: number): AggTrade[];
}

export function createMarket(symbols: readonly SymbolOptions[] = []): Market {
  const states = new Map<string, SymbolState>();

  function known(symbol: string): SymbolState {
    const state = states.get(symbol);
    if (state) return state;
    throw new RangeError(`Expected one of ${[...states.keys()].join(', ')}, was "${symbol}"`);
  }

  const market: Market = {
    addSymbol(options) {
      if (states.has(options.symbol)) throw new RangeError(`${options.symbol} is there already`);
      states.set(options.symbol, createSymbolState(options));
      for (const [interval, candles] of Object.entries(options.klines ?? {})) {
        market.addKlines(options.symbol, interval as Interval, candles);
      }
      market.append(options.symbol, options.trades ?? []);
    },
    symbols: () => [...states.values()],
    find: (symbol) => states.get(symbol),
    append(symbol, trades) {
      const { trades: list, book } = known(symbol);
      for (const trade of trades) {
        list.append(trade);
        book.fold(list.length - 1);
      }
    },
    addKlines: (symbol, interval, candles) => known(symbol).book.addKlines(interval, candles),
    setStatus(symbol, status) {
      known(symbol).status = status;
    },
    addOutage(symbol, from, to) {
      known(symbol).outages.push([from, to]);
    },
    openTime: (symbol, interval, time) => openTimeOf(interval, time, known(symbol).anchor()),
    candle: (symbol, interval, openTime, asOf) =>
      known(symbol).book.candle(interval, openTime, asOf),
    candles: (symbol, interval, range, asOf) => candlesIn(known(symbol), interval, range, asOf),
    trades: (symbol, range, asOf) => tradesIn(known(symbol).trades, range, asOf),
  };
  for (const options of symbols) market.addSymbol(options);
  return market;
}

function createSymbolState(options: SymbolOptions): SymbolState {
  const trades = createTradeList();
  const anchor = (): number => {
    if (options.onboardTime !== undefined) return options.onboardTime;
    const first = book.firstTime('1d');
    return Number.isFinite(first) ? first : 0;
  };
  const outages = [...(options.outages ?? [])];
  const book = createCandleBook({ trades, anchor, outages });
  return { options, status: options.status ?? 'TRADING', trades, book, outages, anchor };
}

function candlesIn(
  { book, anchor }: SymbolState,
  interval: Interval,
  { startTime, endTime = Infinity, limit }: Range,
  asOf: number,
): TruthCandle[] {
  const first = book.firstOpenTime(interval);
  const last = Math.min(endTime, asOf);
  const candles: TruthCandle[] = [];
  if (first > last) return candles;
  const add = (openTime: number): void => {
    const candle = book.candle(interval, openTime, asOf);
    if (candle) candles.push(candle);
  };
  if (startTime !== undefined) {
    const from = Math.max(startTime, first);
    const aligned = openTimeOf(interval, from, anchor());
    let openTime = aligned < from ? nextOpenTime(interval, aligned) : aligned;
    for (; openTime <= last && candles.length < limit; ) {
      add(openTime);
      openTime = nextOpenTime(interval, openTime);
    }
    return candles;
  }
  let openTime = openTimeOf(interval, last, anchor());
  for (; openTime >= first && candles.length < limit; ) {
    add(openTime);
    openTime = openTimeOf(interval, openTime - 1, anchor());
  }
  return candles.reverse();
}

function tradesIn(
  list: TradeList,
  { startTime, endTime = Infinity, limit, fromId }: Range & { fromId?: number | undefined },
  asOf: number,
): AggTrade[] {
  const stop = list.indexOfTime(Math.min(endTime, asOf) + 1);
  let from = Math.max(0, stop - limit);
  if (fromId !== undefined) from = list.indexOfId(fromId);
  else if (startTime !== undefined) from = list.indexOfTime(startTime);
  const rows: AggTrade[] = [];
  for (let index = from; index < stop && rows.length < limit; index += 1) rows.push(list.at(index));
  return rows;
}

// One symbol's candles at any moment: from its trades, from official klines before the first trade.
// Refuses to invent: a window inside an outage or before all history does not exist.
import { type Interval, nextOpenTime, openTimeOf } from './calendar.ts';
import { emptySums, foldTrade, joinSums, type Sums, toCandle, toSums } from './sums.ts';
import { lowerBound, type TradeList } from './trade-list.ts';
import type { TruthCandle } from './truth.ts';

export interface CandleBook {
  /** Tells the book that the trade at `index` was appended to the list. */
  fold(index: number): void;
  /** Adds official klines (any order). Those whose window ends after the first trade are not used. */
  addKlines(interval: Interval, candles: readonly TruthCandle[]): void;
  /** The candle that opens at `openTime`, of what had happened up to `asOf` (ms, inclusive). */
  candle(interval: Interval, openTime: number, asOf: number): TruthCandle | undefined;
  /** Start of the oldest trade or kline that `interval` is made of; `Infinity` without any. */
  firstTime(interval: Interval): number;
  /** Start of the first window there is anything known of; `Infinity` without any history. */
  firstOpenTime(interval: Interval): number;
}

export interface CandleBookOptions {
  readonly trades: TradeList;
  readonly anchor: () => number;
  readonly outages: readonly (readonly [from: number, to: number])[];
}

/** The shorter interval each one is joined from. */
const PART: Partial<Record<Interval, Interval>> = {
  '3m': '1m',
  '5m': '1m',
  '15m': '1m',
  '30m': '1m',
  '1h': '1m',
  '2h': '1h',
  '4h': '1h',
  '6h': '1h',
  '8h': '1h',
  '12h': '1h',
  '1d': '1h',
  '3d': '1d',
  '1w': '1d',
  '1M': '1d',
};

interface Series {
  openTimes: number[];
  readonly sums: Map<number, Sums>;
}

export function createCandleBook({ trades, anchor, outages }: CandleBookOptions): CandleBook {
  const minutes = new Map<number, Sums>();
  const official = new Map<Interval, Series>();
  // A candle cut by an outage may carry the moment of the cut: BTCUSDT 1h of 2023-03-24 12:00 does.
  const oddCloseTimes = new Map<string, number>();
  // Closed hours and days, so that a month is not added up from its minutes at every update.
  const closed = new Map<string, Sums | undefined>();
  let closedUntil = -Infinity;

  const firstTradeTime = () => (trades.length > 0 ? trades.time(0) : Infinity);
  const isOutage = (openTime: number, end: number) =>
    outages.some(([from, to]) => from <= openTime && end <= to);

  function sumsOf(interval: Interval, openTime: number, asOf: number): Sums | undefined {
    const end = nextOpenTime(interval, openTime);
    if (openTime > asOf || isOutage(openTime, end)) return undefined;
    if (end <= firstTradeTime() && end <= asOf + 1) {
      const known = official.get(interval)?.sums.get(openTime);
      if (known) return known;
    }
    const part = PART[interval];
    if (part === undefined) return foldedSums(interval, openTime, end, asOf);
    if (interval !== '1h' && interval !== '1d') return joined(part, openTime, end, asOf);
    return remembered(interval, part, openTime, end, asOf);
  }

  function remembered(
    interval: Interval,
    part: Interval,
    openTime: number,
    end: number,
    asOf: number,
  ): Sums | undefined {
    if (end > asOf) return joined(part, openTime, end, asOf);
    const key = `${interval}${openTime}`;
    if (!closed.has(key)) {
      closed.set(key, joined(part, openTime, end, asOf));
      closedUntil = Math.max(closedUntil, end);
    }
    return closed.get(key);
  }

  function joined(part: Interval, openTime: number, end: number, asOf: number): Sums | undefined {
    const parts: Sums[] = [];
    const stop = Math.min(end, asOf + 1);
    for (let at = openTimeOf(part, openTime, anchor()); at < stop; at = nextOpenTime(part, at)) {
      const sums = sumsOf(part, at, asOf);
      if (sums) parts.push(sums);
    }
    return joinSums(parts);
  }

  /** 1s and 1m: from trades, empty at the previous close where history has begun. */
  function foldedSums(
    interval: Interval,
    openTime: number,
    end: number,
    asOf: number,
  ): Sums | undefined {
    if (end <= firstTradeTime()) return emptyAfterKlines(interval, openTime);
    const from = trades.indexOfTime(openTime);
    const to = trades.indexOfTime(Math.min(end, asOf + 1));
    if (from === to) {
      return from > 0 ? emptySums(trades.price(from - 1)) : emptyAfterKlines(interval, openTime);
    }
    const isAllKnown = end <= asOf + 1 || trades.time(trades.length - 1) <= asOf;
    if (interval === '1m' && isAllKnown) return minutes.get(openTime);
    let sums: Sums | undefined;
    for (let index = from; index < to; index += 1) sums = foldTrade(sums, trades, index);
    return sums;
  }

  /** A window of no trades yet: after the last official kline, or one whose kline is still to come. */
  function emptyAfterKlines(interval: Interval, openTime: number): Sums | undefined {
    const series = official.get(interval);
    if (series === undefined) return undefined;
    const last = lastBefore(series.openTimes, openTime);
    const isAmongOfficial = last >= 0 && last < series.openTimes.length - 1;
    if (isAmongOfficial && !series.sums.has(openTime)) return undefined;
    const close = series.sums.get(series.openTimes[last] ?? Number.NaN)?.close;
    return close === undefined ? undefined : emptySums(close);
  }

  return {
    fold(index) {
      const time = trades.time(index);
      if (time < closedUntil || index === 0) {
        closed.clear();
        closedUntil = -Infinity;
      }
      const openTime = openTimeOf('1m', time, 0);
      minutes.set(openTime, foldTrade(minutes.get(openTime), trades, index));
    },
    addKlines(interval, candles) {
      const series = official.get(interval) ?? { openTimes: [], sums: new Map() };
      for (const candle of candles) {
        const { openTime, closeTime } = candle;
        series.sums.set(openTime, toSums(candle));
        const isOdd = closeTime !== nextOpenTime(interval, openTime) - 1;
        if (isOdd) oddCloseTimes.set(`${interval}${openTime}`, closeTime);
      }
      series.openTimes = [...series.sums.keys()].sort((left, right) => left - right);
      official.set(interval, series);
      closed.clear();
    },
    candle(interval, openTime, asOf) {
      const sums = sumsOf(interval, openTime, asOf);
      if (sums === undefined) return undefined;
      const candle = toCandle(sums, openTime, nextOpenTime(interval, openTime));
      const odd = oddCloseTimes.get(`${interval}${openTime}`);
      return odd === undefined ? candle : { ...candle, closeTime: odd };
    },
    firstTime,
    firstOpenTime(interval) {
      const first = firstTime(interval);
      return first === Infinity ? first : openTimeOf(interval, first, anchor());
    },
  };

  function firstTime(interval: Interval): number {
    let first = firstTradeTime();
    for (const [known, { openTimes }] of official) {
      if (isPartOf(known, interval)) first = Math.min(first, openTimes[0] ?? Infinity);
    }
    return first;
  }
}

function isPartOf(known: Interval, interval: Interval): boolean {
  for (let at: Interval | undefined = interval; at !== undefined; at = PART[at]) {
    if (at === known) return true;
  }
  return false;
}

/** Index of the last open time before `time`, or −1. */
function lastBefore(openTimes: readonly number[], time: number): number {
  return lowerBound(openTimes.length, time, (index) => openTimes[index] ?? Infinity) - 1;
}

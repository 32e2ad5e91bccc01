// What is true at the end of a run: 1s and 1m straight from the list of trades, longer ones from the exchange's own book of them.
import type { Interval } from '../../src/core/market/interval.ts';
import { DAY, nextOpenTime } from '../fake-exchange/calendar.ts';
import type { Market } from '../fake-exchange/market.ts';
import { type TruthCandle, truthCandles } from '../fake-exchange/truth.ts';
import type { Plan } from './plan.ts';
import type { SimMarket } from './tape.ts';

export interface Truth {
  /** Closed ones that the exchange has, oldest first, also those of the past. */
  candles(symbol: string, interval: Interval): readonly TruthCandle[];
  find(symbol: string, interval: Interval, openTime: number): TruthCandle | undefined;
  /** The one open at the end; `undefined` where its window does not exist. */
  open(symbol: string, interval: Interval): TruthCandle | undefined;
}

export function createTruth(made: SimMarket, market: Market, plan: Plan): Truth {
  const known = new Map<string, Map<number, TruthCandle>>();

  function folded(symbol: string, interval: '1s' | '1m'): TruthCandle[] {
    const last = made.symbols.find((each) => each.symbol === symbol)?.klines?.['1m']?.at(-1);
    return truthCandles(made.trades.get(symbol) ?? [], interval, {
      from: plan.tapeFrom,
      to: plan.end,
      outages: plan.outages,
      ...(last === undefined ? {} : { previousClose: last.close }),
    });
  }

  function byBook(symbol: string, interval: Interval): TruthCandle[] {
    const limit = Number.MAX_SAFE_INTEGER;
    // Seconds of the past are not known to the exchange's book, but as empty ones.
    const startTime = interval === '1s' ? plan.tapeFrom - DAY / 24 : 0;
    return market.candles(symbol, interval, { startTime, endTime: plan.end, limit }, plan.end);
  }

  function allOf(symbol: string, interval: Interval): Map<number, TruthCandle> {
    const key = `${symbol} ${interval}`;
    const held = known.get(key);
    if (held !== undefined) return held;
    const past = byBook(symbol, interval);
    const own = interval === '1s' || interval === '1m' ? folded(symbol, interval) : [];
    const since = own.length > 0 ? plan.tapeFrom : Number.POSITIVE_INFINITY;
    const all = [...past.filter(({ openTime }) => openTime < since), ...own]
      .filter(({ openTime }) => nextOpenTime(interval, openTime) <= plan.end)
      .map((candle): [number, TruthCandle] => [candle.openTime, candle]);
    const byTime = new Map(all);
    known.set(key, byTime);
    return byTime;
  }

  return {
    candles: (symbol, interval) => [...allOf(symbol, interval).values()],
    find: (symbol, interval, openTime) => allOf(symbol, interval).get(openTime),
    open(symbol, interval) {
      const openTime = market.openTime(symbol, interval, plan.end);
      return market.candle(symbol, interval, openTime, plan.end);
    },
  };
}

// Binance's past by REST, page by page, in the background of whatever else goes through the same budget. Opens no REST of its own.
import { DEFAULT_CALENDAR } from '../../core/market/interval.ts';
import type { KlinePages } from '../kline-history.ts';
import { fetchGap } from './history.ts';
import type { Rest } from './rest.ts';

/** `rest` is asked for at each call; `closing` ends all of them. */
export function klinePages(rest: () => Rest, closing: AbortSignal): KlinePages {
  return {
    async start(symbols, signal) {
      const asked = rest();
      const end = AbortSignal.any([signal, closing]);
      await asked.sampleTime(end);
      for (const symbol of symbols) await asked.learnLimits(symbol, end);
      return asked.now();
    },
    async *candles({ symbol, interval, from, to }, signal) {
      const asking = { rest: rest(), signal: AbortSignal.any([signal, closing]) };
      // A 3d grid that is not the symbol's only begins the question a day or two early.
      const gap = { from, to, calendar: DEFAULT_CALENDAR };
      for await (const page of fetchGap(symbol, interval, gap, asking)) {
        const own = page.filter(({ openTime }) => openTime >= from && openTime < to);
        if (own.length > 0) yield own;
      }
    },
  };
}

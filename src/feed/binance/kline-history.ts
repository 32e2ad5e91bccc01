// Binance's past by REST, within its weight limit: waits and tries until answered, in the background of whoever else asks at this address.
import { DEFAULT_CALENDAR } from '../../core/market/interval.ts';
import type { KlineHistory } from '../kline-history.ts';
import { type BinanceFeedOptions, binanceSource } from './feed.ts';
import { fetchGap } from './history.ts';
import { openRestAlone } from './rest-alone.ts';

export type BinanceKlineHistoryOptions = Omit<BinanceFeedOptions, 'historyIntervals'>;

export function binanceKlineHistory(options: BinanceKlineHistoryOptions): KlineHistory {
  const closing = new AbortController();
  const alone = openRestAlone({
    ...options,
    onTrouble: (reason) => options.logger.warn(`REST: ${reason}`),
    signal: closing.signal,
  });
  const { rest } = alone;
  return {
    source: binanceSource(options),
    async start(symbols, signal) {
      const end = AbortSignal.any([signal, closing.signal]);
      await rest.sampleTime(end);
      for (const symbol of symbols) await rest.learnLimits(symbol, end);
      return rest.now();
    },
    async *candles({ symbol, interval, from, to }, signal) {
      const end = AbortSignal.any([signal, closing.signal]);
      // A 3d grid that is not the symbol's only begins the question a day or two early.
      const gap = { from, to, calendar: DEFAULT_CALENDAR };
      for await (const page of fetchGap(symbol, interval, gap, { rest, signal: end })) {
        const own = page.filter(({ openTime }) => openTime >= from && openTime < to);
        if (own.length > 0) yield own;
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      alone[Symbol.dispose]();
    },
  };
}

// Binance's past by REST, within its weight limit: waits and tries until answered, in the background of whoever else asks at this address.
import { DEFAULT_CALENDAR } from '../../core/market/interval.ts';
import type { KlineHistory } from '../kline-history.ts';
import { type BinanceFeedOptions, binanceSource } from './feed.ts';
import { fetchGap } from './history.ts';
import { createRest } from './rest.ts';
import { createRestRequester } from './rest-request.ts';
import { networkTransport } from './transport.ts';

export type BinanceKlineHistoryOptions = Omit<BinanceFeedOptions, 'historyIntervals'>;

export function binanceKlineHistory(options: BinanceKlineHistoryOptions): KlineHistory {
  const { clock, logger } = options;
  const transport = options.transport ?? networkTransport(options.proxy);
  const closing = new AbortController();
  const requester = createRestRequester({
    ...options,
    transport,
    onTrouble: (reason) => logger.warn(`REST: ${reason}`),
    signal: closing.signal,
  });
  const rest = createRest(requester, clock);
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
      transport.destroy();
    },
  };
}

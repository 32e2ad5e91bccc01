// Binance's past by REST for a command that streams nothing, within its weight limit: waits and tries until answered.
import type { KlineHistory } from '../kline-history.ts';
import { type BinanceFeedOptions, binanceSource } from './feed.ts';
import { klinePages } from './kline-pages.ts';
import { openRestAlone } from './rest-alone.ts';

export type BinanceKlineHistoryOptions = Omit<BinanceFeedOptions, 'historyIntervals'>;

export function binanceKlineHistory(options: BinanceKlineHistoryOptions): KlineHistory {
  const closing = new AbortController();
  const alone = openRestAlone({
    ...options,
    onTrouble: (reason) => options.logger.warn(`REST: ${reason}`),
    signal: closing.signal,
  });
  return {
    source: binanceSource(options),
    ...klinePages(() => alone.rest, closing.signal),
    async [Symbol.asyncDispose]() {
      closing.abort();
      alone[Symbol.dispose]();
    },
  };
}

// Binance's past by REST for a command that streams nothing: klines page by page, a minute's trades. Within the weight limit; it judges nothing.
import type { Candle } from '../../core/market/candle.ts';
import type { Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { EpochMs } from '../../core/market/time.ts';
import { fetchMinuteTrades, type MinuteTrades } from './minute-trades.ts';
import { PAGE_ROWS_MAX } from './rest.ts';
import { openRestAlone, type RestAloneOptions } from './rest-alone.ts';

export interface MarketHistory extends Disposable {
  /** Exchange's clock, as known. */
  now(): EpochMs;
  /** Closed candles that open in the range, both ends inclusive, oldest first; `isFull`: there may be more behind them. */
  klines(
    symbol: MarketSymbol,
    interval: Interval,
    range: { readonly startTime: EpochMs; readonly endTime: EpochMs },
  ): Promise<{ readonly closed: readonly Candle[]; readonly isFull: boolean }>;
  minuteTrades(symbol: MarketSymbol, openTime: EpochMs): Promise<MinuteTrades>;
}

/**
 * Knows the exchange's time and limits before it resolves; `symbol` is any that will be asked for.
 * @throws FeedError `unknown-symbol`, `refused`; the signal's reason.
 */
export async function openMarketHistory(
  symbol: MarketSymbol,
  options: RestAloneOptions,
): Promise<MarketHistory> {
  const { signal } = options;
  const { rest, ...closing } = openRestAlone(options);
  const asking = { priority: 'history', signal } as const;
  await rest.sampleTime(signal);
  await rest.learnLimits(symbol, signal);
  return {
    now: rest.now,
    async klines(of, interval, range) {
      const { closed } = await rest.klines(of, interval, range, asking);
      return { closed, isFull: closed.length >= PAGE_ROWS_MAX };
    },
    minuteTrades: (of, openTime) => fetchMinuteTrades(of, openTime, { rest, ...asking }),
    ...closing,
  };
}

// Binance's past by REST for a command that streams nothing: klines page by page, a minute's trades. Within the weight limit; it judges nothing.
import type { Candle } from '../../core/market/candle.ts';
import type { Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock, EpochMs } from '../../core/market/time.ts';
import { fetchMinuteTrades, type MinuteTrades } from './minute-trades.ts';
import { createRest, PAGE_ROWS_MAX } from './rest.ts';
import { createRestRequester } from './rest-request.ts';
import { networkTransport, type Transport } from './transport.ts';

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

export interface MarketHistoryOptions {
  /** Base URLs without a path, in order of preference. */
  readonly restUrls: readonly string[];
  readonly clock: Clock;
  /** In [0, 1): jitter. */
  readonly random: () => number;
  readonly proxy?: string;
  /** Default: the network. */
  readonly transport?: Transport;
  /** Told each time a try failed and another follows. */
  readonly onTrouble: (reason: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Knows the exchange's time and limits before it resolves; `symbol` is any that will be asked for.
 * @throws FeedError `unknown-symbol`, `refused`; the signal's reason.
 */
export async function openMarketHistory(
  symbol: MarketSymbol,
  options: MarketHistoryOptions,
): Promise<MarketHistory> {
  const { clock, signal } = options;
  const transport = options.transport ?? networkTransport(options.proxy);
  const rest = createRest(createRestRequester({ ...options, transport }), clock);
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
    [Symbol.dispose]: () => transport.destroy(),
  };
}

// Candles and trades → the candle store, for whoever writes them: a failing store is tried again, a value beyond its range costs only its candle or trade.
// Says nothing itself: who writes knows what its user should read.
import type { AggTrade } from '../core/market/agg-trade.ts';
import type { Candle } from '../core/market/candle.ts';
import type { Clock, DurationMs } from '../core/market/time.ts';
import { type CandleStore, StoreError } from '../store/candle-store.ts';

export const RETRY_MS_MIN: DurationMs = 100;
export const RETRY_MS_MAX: DurationMs = 10_000;

/** A candle or trade that this store cannot hold, and why. */
export interface Refused {
  readonly value: Candle | AggTrade;
  readonly error: StoreError;
}

/** For the log file: which one it is. */
export function identityOf({ value }: Pick<Refused, 'value'>): object {
  if ('aggTradeId' in value) {
    const { symbol, aggTradeId } = value;
    return { trade: { symbol, aggTradeId } };
  }
  const { symbol, interval, openTime } = value;
  return { candle: { symbol, interval, openTime } };
}

export interface RetryOptions {
  readonly clock: Clock;
  /** At each failure, before the pause of `retryMs`. Must not throw. */
  readonly onFailure: (error: unknown, retryMs: DurationMs) => void;
  readonly signal: AbortSignal;
}

export interface WriteOptions extends RetryOptions {
  readonly store: CandleStore;
  readonly candles: readonly Candle[];
  readonly trades?: readonly AggTrade[];
}

/**
 * Writes again until the store takes it, pausing from `RETRY_MS_MIN`, each time twice as long, up to
 * `RETRY_MS_MAX`. Answers what the store refused; undefined where `signal` aborted before it took the rest.
 */
export function writeUntilDone(options: WriteOptions): Promise<readonly Refused[] | undefined> {
  const { store, candles, trades } = options;
  return untilDone(options, () => writeInRange(store, candles, trades));
}

/** Acts again until it does not fail, with the pauses of `writeUntilDone`; undefined where `signal` aborted first. */
export async function untilDone<T>(
  { clock, onFailure, signal }: RetryOptions,
  act: () => Promise<T>,
): Promise<T | undefined> {
  for (let retryMs = RETRY_MS_MIN; ; retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)) {
    try {
      return await act();
    } catch (error) {
      onFailure(error, retryMs);
    }
    await clock.sleep(retryMs, signal);
    if (signal.aborted) return undefined;
  }
}

/**
 * Writes all the store can hold, halving what has a value beyond its range; answers what it cannot hold.
 * Where it halves, trades go before candles: a candle is never there without its trades.
 * @throws whatever else the store throws; some of it may be written then.
 */
export async function writeInRange(
  store: CandleStore,
  candles: readonly Candle[],
  trades: readonly AggTrade[] = [],
): Promise<readonly Refused[]> {
  try {
    await store.write(candles, trades);
    return [];
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'out-of-range') throw error;
    const [value] = [...trades, ...candles];
    if (value !== undefined && candles.length + trades.length === 1) return [{ value, error }];
    if (candles.length > 0 && trades.length > 0) {
      const refused = await writeInRange(store, [], trades);
      return [...refused, ...(await writeInRange(store, candles))];
    }
    const first = await writeInRange(store, ...halfOf(candles, trades, 'first'));
    return [...first, ...(await writeInRange(store, ...halfOf(candles, trades, 'second')))];
  }
}

function halfOf(
  candles: readonly Candle[],
  trades: readonly AggTrade[],
  half: 'first' | 'second',
): [readonly Candle[], readonly AggTrade[]] {
  const cut = <T>(values: readonly T[]): readonly T[] => {
    const middle = Math.ceil(values.length / 2);
    return half === 'first' ? values.slice(0, middle) : values.slice(middle);
  };
  return [cut(candles), cut(trades)];
}

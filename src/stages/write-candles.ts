// Candles → the candle store, for whoever writes them: a failing store is tried again, a value beyond its range costs only its candle.
// Says nothing itself: who writes knows what its user should read.
import type { Candle } from '../core/market/candle.ts';
import type { Clock, DurationMs } from '../core/market/time.ts';
import { type CandleStore, StoreError } from '../store/candle-store.ts';

export const RETRY_MS_MIN: DurationMs = 100;
export const RETRY_MS_MAX: DurationMs = 10_000;

/** A candle that this store cannot hold, and why. */
export interface Refused {
  readonly candle: Candle;
  readonly error: StoreError;
}

export interface WriteOptions {
  readonly store: CandleStore;
  readonly candles: readonly Candle[];
  readonly clock: Clock;
  /** At each failure, before the pause of `retryMs`. Must not throw. */
  readonly onFailure: (error: unknown, retryMs: DurationMs) => void;
  readonly signal: AbortSignal;
}

/**
 * Writes again until the store takes it, pausing from `RETRY_MS_MIN`, each time twice as long, up to
 * `RETRY_MS_MAX`. Answers what the store refused; undefined where `signal` aborted before it took the rest.
 */
export async function writeUntilDone(
  options: WriteOptions,
): Promise<readonly Refused[] | undefined> {
  const { store, candles, clock, onFailure, signal } = options;
  for (let retryMs = RETRY_MS_MIN; ; retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)) {
    try {
      return await writeInRange(store, candles);
    } catch (error) {
      onFailure(error, retryMs);
    }
    await clock.sleep(retryMs, signal);
    if (signal.aborted) return undefined;
  }
}

/**
 * Writes all the store can hold, halving what has a value beyond its range; answers the candles it cannot hold.
 * @throws whatever else the store throws; some of the candles may be written then.
 */
export async function writeInRange(
  store: CandleStore,
  candles: readonly Candle[],
): Promise<readonly Refused[]> {
  try {
    await store.write(candles);
    return [];
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'out-of-range') throw error;
    const [candle] = candles;
    if (candle !== undefined && candles.length === 1) return [{ candle, error }];
    const middle = Math.ceil(candles.length / 2);
    const first = await writeInRange(store, candles.slice(0, middle));
    return [...first, ...(await writeInRange(store, candles.slice(middle)))];
  }
}

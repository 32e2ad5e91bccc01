// How much the store takes on disk, asked for now and then: for the page's details and for Prometheus. A store that does not answer leaves the last figure.
import type { Clock, DurationMs } from '../core/market/time.ts';
import type { CandleStore } from '../store/candle-store.ts';

export const STORE_SIZE_INTERVAL_MS: DurationMs = 10_000;

export interface StoreSize extends Disposable {
  /** Undefined until the store has answered. */
  bytes(): number | undefined;
}

export function storeSize(options: {
  readonly store: Pick<CandleStore, 'bytes'>;
  readonly clock: Clock;
}): StoreSize {
  const { store, clock } = options;
  const stop = new AbortController();
  let bytes: number | undefined;
  const watch = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      // Persist says why a store fails; here there is nothing to add.
      bytes = await store.bytes().catch(() => bytes);
      await clock.sleep(STORE_SIZE_INTERVAL_MS, stop.signal);
    }
  };
  // Ends when it is disposed of; nothing in it fails.
  void watch();
  return { bytes: () => bytes, [Symbol.dispose]: () => stop.abort() };
}

// The feed's own clock in tests that jump hours: still until it is set.
import type { Clock, EpochMs } from '../../src/core/market/time.ts';

/** Stands still but for `set`; waits are 5 ms. */
export function settableClock(start: number): Clock & { set(time: number): void } {
  let time = start;
  return {
    now: () => time as EpochMs,
    sleep: (_, signal) =>
      new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', end);
          resolve();
        };
        const timer = setTimeout(end, 5);
        signal?.addEventListener('abort', end);
        if (signal?.aborted) end();
      }),
    set(to) {
      time = to;
    },
  };
}

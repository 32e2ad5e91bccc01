// A clock that stands still until the test moves it: no real time, sleepers wake in the order they are due.
import { setImmediate as othersTurn } from 'node:timers/promises';
import { addMs, type Clock, type DurationMs, type EpochMs } from '../../src/core/market/time.ts';

export interface ManualClock extends Clock {
  /** Moves on by `ms`, waking each sleeper at its own time, and lets what it woke run before the next. */
  advance(ms: DurationMs): Promise<void>;
  /** Moves to the next sleeper's time and wakes it; false where nobody sleeps. */
  wakeNext(): boolean;
}

interface Sleeper {
  readonly wakeAt: EpochMs;
  readonly wake: () => void;
}

export function manualClock(start: EpochMs): ManualClock {
  let now = start;
  const sleepers = new Set<Sleeper>();

  /** The least `wakeAt` not after `until`; of equals, the one that fell asleep first. */
  const nextSleeper = (until: number): Sleeper | undefined => {
    let next: Sleeper | undefined;
    for (const sleeper of sleepers) {
      if (sleeper.wakeAt > until || (next !== undefined && next.wakeAt <= sleeper.wakeAt)) continue;
      next = sleeper;
    }
    return next;
  };
  const wakeNext = (until: number): boolean => {
    const sleeper = nextSleeper(until);
    if (sleeper === undefined) return false;
    if (sleeper.wakeAt > now) now = sleeper.wakeAt;
    sleeper.wake();
    return true;
  };

  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const wake = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper: Sleeper = { wakeAt: addMs(now, Math.max(0, ms)), wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake, { once: true });
      }),
    advance: async (ms) => {
      const until = addMs(now, ms);
      await othersTurn();
      while (wakeNext(until)) await othersTurn();
      now = until;
    },
    wakeNext: () => wakeNext(Number.POSITIVE_INFINITY),
  };
}

/** Waits for `promise`, moving `clock` on whenever somebody sleeps meanwhile. */
export async function settle<T>(promise: Promise<T>, clock: ManualClock): Promise<T> {
  let isSettled = false;
  const done = (): void => {
    isSettled = true;
  };
  promise.then(done, done);
  await othersTurn();
  while (!isSettled) {
    clock.wakeNext();
    await othersTurn();
  }
  return promise;
}

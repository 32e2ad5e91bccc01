// A clock that stands until a test moves it. For tests only.
import { setImmediate } from 'node:timers/promises';
import {
  type AbortSignalLike,
  addMs,
  type Clock,
  type EpochMs,
} from '../../../core/market/time.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

export interface ManualClock extends Clock {
  /** Moves time on, waking each sleeper at its own moment, in order. */
  advance(ms: number): Promise<void>;
}

export function manualClock(start = 1_767_225_600_000): ManualClock {
  let now = start as EpochMs;
  let sleepers: Sleeper[] = [];
  return {
    now: () => now,
    sleep: (ms: number, signal?: AbortSignalLike) => {
      if (signal?.aborted === true) return Promise.resolve();
      return new Promise<void>((resolve) => {
        const sleeper = { at: now + ms, wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener(
          'abort',
          () => {
            sleepers = sleepers.filter((other) => other !== sleeper);
            resolve();
          },
          { once: true },
        );
      });
    },
    advance: async (ms) => {
      const end = addMs(now, ms);
      for (;;) {
        await setImmediate();
        const next = sleepers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        sleepers = sleepers.filter((other) => other !== next);
        now = Math.max(now, next.at) as EpochMs;
        next.wake();
      }
      now = end;
      await setImmediate();
    },
  };
}

// The exchange's own clock: moved by a test, or running beside the real one. Times in ms.

/** Stands still until `set`. */
export interface ManualClock {
  now(): number;
  /** Never goes back. */
  set(time: number): void;
}

export interface RunningClock {
  now(): number;
}

export type ExchangeClock = ManualClock | RunningClock;

export function isManual(clock: ExchangeClock): clock is ManualClock {
  return 'set' in clock;
}

export function manualClock(start: number): ManualClock {
  let time = start;
  return {
    now: () => time,
    set(to) {
      if (to < time) throw new RangeError(`Expected a time ≥ ${time}, was ${to}`);
      time = to;
    },
  };
}

export interface RunningClockOptions {
  /** What the clock shows when it is made. Default: the real time. */
  readonly start?: number;
  /** Exchange ms a real ms. Default 1. */
  readonly speed?: number;
  readonly realNow?: () => number;
}

/** Runs with real time, from `start` on: recorded trades can be played as if they happened now. */
export function runningClock(options: RunningClockOptions = {}): RunningClock {
  const realNow = options.realNow ?? Date.now;
  const madeAt = realNow();
  const start = options.start ?? madeAt;
  const speed = options.speed ?? 1;
  return { now: () => Math.floor(start + (realNow() - madeAt) * speed) };
}

// The exchange's clock of a chaos run: faster than real time, and it can jump ahead, as ours does when somebody sets it back.

export interface StepClock {
  /** Exchange ms. */
  now(): number;
  readonly speed: number;
  /** Jumps ahead. */
  step(ms: number): void;
}

export function stepClock(start: number, speed: number): StepClock {
  const madeAt = performance.now();
  let stepped = 0;
  return {
    speed,
    now: () => Math.floor(start + stepped + (performance.now() - madeAt) * speed),
    step(ms) {
      stepped += ms;
    },
  };
}

// The exchange's clock of a chaos run: as fast as real time, for the product notices a clock that is not, and it can jump ahead, as ours
// seems to when somebody sets it back.

export interface StepClock {
  /** Exchange ms. */
  now(): number;
  /** Jumps ahead. */
  step(ms: number): void;
}

export function stepClock(start: number): StepClock {
  const madeAt = performance.now();
  let stepped = 0;
  return {
    now: () => Math.floor(start + stepped + (performance.now() - madeAt)),
    step(ms) {
      stepped += ms;
    },
  };
}

// Waits for a span of time in which this process ran: a jump of the machine's clock, or a sleep of the machine, is no waiting, or ends it.
import type { Clock, DurationMs } from '../../core/market/time.ts';

/** A step of it: what the clock says of one step beyond this is a jump. */
const STEP_MS: DurationMs = 1_000;

/** Resolves after `ms`, or when `signal` aborts. */
export async function waitOut(clock: Clock, ms: DurationMs, signal: AbortSignal): Promise<void> {
  for (let left = ms; left > 0 && !signal.aborted; ) {
    const step = Math.min(left, STEP_MS);
    const began = clock.now();
    await clock.sleep(step, signal);
    const took = clock.now() - began;
    left -= took < 0 ? step : Math.min(took, step);
  }
}

/** The clock moved by so much more than was slept, or backwards: it was set, or the machine slept. */
const JUMP_MS: DurationMs = 2_000;
/** How soon a jump is noticed. */
const LOOK_MS: DurationMs = 5_000;

/** Resolves after `ms`, when `signal` aborts, or when the clock has jumped. */
export async function waitWhileSteady(
  clock: Clock,
  ms: DurationMs,
  signal: AbortSignal,
): Promise<void> {
  const until = clock.now() + ms;
  while (!signal.aborted) {
    const began = clock.now();
    const step = Math.min(LOOK_MS, until - began);
    if (step <= 0) return;
    await clock.sleep(step, signal);
    const took = clock.now() - began;
    if (took < 0 || took > step + JUMP_MS) return;
  }
}

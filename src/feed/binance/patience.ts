// Waits for a span of time in which this process ran: a jump of the machine's clock, or a sleep of the machine, is no waiting.
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

// Waits for something to be so. What only time can bring is looked for now and then; a failure to look means: not yet.
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 250;
/** A look takes the exchange's own time, which runs in this process: it has at least so many times as much between two. */
const PAUSE_TIMES = 4;

/** Resolves with whether it came to be within `msMax`. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  msMax: number,
): Promise<boolean> {
  const deadline = performance.now() + msMax;
  while (performance.now() < deadline) {
    const lookedAt = performance.now();
    const found = await Promise.resolve()
      .then(isSo)
      .catch(() => false);
    if (found) return true;
    await sleep(Math.max(LOOK_MS, PAUSE_TIMES * (performance.now() - lookedAt)));
  }
  return false;
}

// Lets one loop sleep until there is work, or for a time.
import type { Clock, DurationMs } from '../../core/market/time.ts';

export interface Wake {
  /** The loop's wait, now or its next one, ends at once. */
  wake(): void;
  /** For one waiter. `timer`: the time is over. Ends when `signal` aborts, too. */
  wait(ms: DurationMs, signal: AbortSignal): Promise<'woken' | 'timer'>;
}

export function createWake(clock: Clock): Wake {
  let pending = Promise.withResolvers<'woken'>();
  return {
    wake: () => pending.resolve('woken'),
    async wait(ms, signal) {
      const cancel = new AbortController();
      const timer = clock
        .sleep(ms, AbortSignal.any([signal, cancel.signal]))
        .then(() => 'timer' as const);
      const first = await Promise.race([pending.promise, timer]);
      // Any reason will do, and spares the exception that a missing one makes.
      cancel.abort('over');
      if (first === 'woken') pending = Promise.withResolvers();
      return first;
    },
  };
}

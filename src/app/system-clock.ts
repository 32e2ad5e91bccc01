// The machine's clock and timers: the only place that reads them.
import { setTimeout as timeout } from 'node:timers/promises';
import { type Clock, epochMs } from '../core/market/time.ts';

export const systemClock: Clock = {
  now: () => epochMs(Date.now()),
  sleep: async (ms, signal) => {
    if (signal?.aborted) return;
    try {
      await timeout(ms, undefined, signal instanceof AbortSignal ? { signal } : {});
    } catch (error) {
      if (!(error instanceof Error && error.name === 'AbortError')) throw error;
    }
  },
};

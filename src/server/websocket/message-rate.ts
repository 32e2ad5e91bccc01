// Counts a connection's messages. Only says when there are too many; the caller decides what that means.
import type { Clock, DurationMs } from '../../core/market/time.ts';

/** A function to call at each message: true where this one is more than `limit` within any `windowMs`. */
export function messageRate(clock: Clock, limit: number, windowMs: DurationMs): () => boolean {
  const times: number[] = [];
  return () => {
    const now = clock.now();
    while (times.length > 0 && (times[0] ?? now) <= now - windowMs) times.shift();
    if (times.length >= limit) return true;
    times.push(now);
    return false;
  };
}

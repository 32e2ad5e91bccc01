// When and where to connect next: pure. Each connection doubles its waits with jitter and tries the endpoints in order; all together
// never exceed the exchange's 300 attempts in 5 minutes, whatever happens.
import type { DurationMs, EpochMs } from '../../core/market/time.ts';

export const RECONNECT_DELAY_MS_MIN: DurationMs = 250;
export const RECONNECT_DELAY_MS_MAX: DurationMs = 15_000;

/** Half of the exchange's 300: other programs may share the address. At the limit the next attempt waits. */
export const ATTEMPTS_MAX = 150;
export const ATTEMPTS_WINDOW_MS: DurationMs = 300_000;

/** A socket that lived this long was a good one: the next break is tried again at once. */
export const STABLE_AFTER_MS: DurationMs = 5_000;

/** One connection's. */
export interface BackOff {
  /** Index of the endpoint for the next attempt. */
  readonly urlIndex: number;
  /** Attempts in a row without a good socket. */
  readonly failures: number;
  /** Attempts in a row that opened none at all. */
  readonly unopened: number;
}

export const INITIAL_BACK_OFF: BackOff = { urlIndex: 0, failures: 0, unopened: 0 };

/** The handshake succeeded. */
export function opened(state: BackOff): BackOff {
  return { ...state, unopened: 0 };
}

/** A socket that lived for `livedMs` is over; undefined: it never opened. The next of `urls` endpoints is taken unless it was a good one. */
export function broken(state: BackOff, livedMs: DurationMs | undefined, urls: number): BackOff {
  const unopened = livedMs === undefined ? state.unopened + 1 : 0;
  if (livedMs !== undefined && livedMs >= STABLE_AFTER_MS) {
    return { ...state, unopened, failures: 0 };
  }
  const urlIndex = (state.urlIndex + 1) % urls;
  return { ...state, unopened, failures: state.failures + 1, urlIndex };
}

/** No endpoint could be reached in the last round. */
export function isOffline(state: BackOff, urls: number): boolean {
  return state.unopened >= urls;
}

/** ms until the next attempt may begin. `random` is in [0, 1). */
export function delayMs(state: BackOff, random: number): DurationMs {
  if (state.failures === 0) return 0;
  const doubled = RECONNECT_DELAY_MS_MIN * 2 ** Math.min(state.failures - 1, 16);
  return Math.round(Math.min(doubled, RECONNECT_DELAY_MS_MAX) * (0.5 + random / 2));
}

/** Shared by all connections of a feed. */
export interface AttemptBudget {
  /** 0: an attempt may be made now, and counts; else ms until it is worth asking again. */
  take(now: EpochMs): DurationMs;
}

export function createAttemptBudget(): AttemptBudget {
  /** Times of the attempts within the window, ascending. */
  const attempts: EpochMs[] = [];
  return {
    take(now) {
      while ((attempts[0] ?? now) < now - ATTEMPTS_WINDOW_MS) attempts.shift();
      const oldest = attempts[0];
      if (oldest !== undefined && attempts.length >= ATTEMPTS_MAX) {
        return oldest + ATTEMPTS_WINDOW_MS - now + 1;
      }
      attempts.push(now);
      return 0;
    },
  };
}

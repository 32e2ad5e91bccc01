// When and where to connect next: pure. Doubles with jitter, tries the endpoints in order, and never exceeds the exchange's
// 300 attempts in 5 minutes, whatever happens.
import { addMs, type DurationMs, type EpochMs } from '../../core/market/time.ts';

export const RECONNECT_DELAY_MS_MIN: DurationMs = 250;
export const RECONNECT_DELAY_MS_MAX: DurationMs = 15_000;

/** Half of the exchange's 300: other programs may share the address. */
export const ATTEMPTS_MAX = 150;
export const ATTEMPTS_WINDOW_MS: DurationMs = 300_000;

/** A connection that lived this long was a good one: the next break is tried again at once. */
export const STABLE_AFTER_MS: DurationMs = 5_000;

export interface BackOff {
  /** Index of the endpoint for the next attempt. */
  readonly urlIndex: number;
  /** Attempts in a row without a good connection. */
  readonly failures: number;
  /** Attempts in a row that opened none at all. */
  readonly unopened: number;
  /** Times of the attempts within the window, ascending. */
  readonly attempts: readonly EpochMs[];
}

export const INITIAL_BACK_OFF: BackOff = { urlIndex: 0, failures: 0, unopened: 0, attempts: [] };

/** An attempt begins. */
export function attempted(state: BackOff, now: EpochMs): BackOff {
  const since = addMs(now, -ATTEMPTS_WINDOW_MS);
  return { ...state, attempts: [...state.attempts.filter((at) => at > since), now] };
}

/** The connection broke after `livedMs`; undefined: it never opened. The next of `urls` endpoints is taken unless it was a good one. */
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
export function delayMs(state: BackOff, now: EpochMs, random: number): DurationMs {
  const doubled = RECONNECT_DELAY_MS_MIN * 2 ** Math.min(Math.max(state.failures - 1, 0), 16);
  const jittered = Math.min(doubled, RECONNECT_DELAY_MS_MAX) * (0.5 + random / 2);
  const wait = state.failures === 0 ? 0 : Math.round(jittered);
  const oldest = state.attempts.at(-ATTEMPTS_MAX);
  const room = oldest === undefined ? 0 : oldest + ATTEMPTS_WINDOW_MS - now + 1;
  return Math.max(wait, room);
}

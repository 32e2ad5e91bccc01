// The exchange's request-weight limit by address: 429 over it, 418 for who goes on. Keeps no clock.
import { WEIGHT_PER_MINUTE } from './exchange-info.ts';

const MINUTE = 60_000;

/** Requests answered 429 in a row before the address is banned. */
const WARNINGS_MAX = 10;

/** The first ban; each further one is twice as long, up to three days. */
const BAN_MS_MIN = 2 * MINUTE;
const BAN_MS_MAX = 3 * 24 * 60 * MINUTE;

export type Verdict =
  | { readonly type: 'allowed'; readonly used: number }
  | { readonly type: 'too-many'; readonly used: number; readonly retryAfterSeconds: number }
  | {
      readonly type: 'banned';
      readonly used: number;
      readonly retryAfterSeconds: number;
      readonly until: number;
    };

export interface RequestLimiter {
  /** Counts a request of `weight` at `now` (ms) and says whether it is served. */
  take(weight: number, now: number): Verdict;
  /** Bans the address at once, as a test wishes. */
  ban(until: number): void;
  isBanned(now: number): boolean;
}

export function createRequestLimiter(weightMax = WEIGHT_PER_MINUTE): RequestLimiter {
  let minute = -1;
  let used = 0;
  let warnings = 0;
  let bannedUntil = 0;
  let banMs = BAN_MS_MIN;

  return {
    take(weight, now) {
      const current = Math.floor(now / MINUTE);
      if (current !== minute) {
        minute = current;
        used = 0;
        if (now >= bannedUntil) warnings = 0;
      }
      used += weight;
      if (now < bannedUntil) return banned(now);
      if (used <= weightMax) return { type: 'allowed', used };
      warnings += 1;
      if (warnings > WARNINGS_MAX) {
        bannedUntil = now + banMs;
        banMs = Math.min(banMs * 2, BAN_MS_MAX);
        return banned(now);
      }
      const retryAfterSeconds = Math.ceil(((current + 1) * MINUTE - now) / 1_000);
      return { type: 'too-many', used, retryAfterSeconds };
    },
    ban(until) {
      bannedUntil = until;
    },
    isBanned: (now) => now < bannedUntil,
  };

  function banned(now: number): Verdict {
    const retryAfterSeconds = Math.ceil((bannedUntil - now) / 1_000);
    return { type: 'banned', used, retryAfterSeconds, until: bannedUntil };
  }
}

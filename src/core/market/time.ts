// Points and spans of time, in whole milliseconds. Reads no clock: time is always an argument.

declare const brand: unique symbol;

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number & { readonly [brand]: 'EpochMs' };

/** A span in milliseconds. */
export type DurationMs = number;

/** The last millisecond of the year 9999: later times are garbage. */
export const EPOCH_MS_MAX = 253_402_300_799_999;

export const SECOND_MS: DurationMs = 1_000;
export const MINUTE_MS: DurationMs = 60_000;
export const HOUR_MS: DurationMs = 3_600_000;
export const DAY_MS: DurationMs = 86_400_000;

/**
 * A number as a point in time.
 * @throws RangeError where it is not a whole number of milliseconds between 1970 and the year 9999.
 */
export function epochMs(value: number): EpochMs {
  if (!Number.isInteger(value) || value < 0 || value > EPOCH_MS_MAX) {
    throw new RangeError(`Expected milliseconds since 1970, was ${value}`);
  }
  return value as EpochMs;
}

/** `time` moved by `by` ms; unchecked, for arithmetic on times already known good. */
export function addMs(time: EpochMs, by: DurationMs): EpochMs {
  return (time + by) as EpochMs;
}

/** Start of the minute that holds `time`. */
export function minuteOf(time: EpochMs): EpochMs {
  return (time - (time % MINUTE_MS)) as EpochMs;
}

/** The clock and timer of an edge. Live, replay and simulation differ by this alone. */
export interface Clock {
  now(): EpochMs;
  /** Resolves after `ms`, or at once when `signal` aborts (it never rejects). */
  sleep(ms: DurationMs, signal?: AbortSignalLike): Promise<void>;
}

/** What core needs to know of an AbortSignal: it has no DOM or Node types. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

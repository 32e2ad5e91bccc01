// The exchange's clock as its answers tell it. A jump of the machine's clock shows in the next answer, and what was known before is dropped.
import { addMs, type Clock, type DurationMs, type EpochMs } from '../../core/market/time.ts';
import type { RestAnswer } from './rest-request.ts';

/** Samples of the exchange's time that are compared: the one with the least round trip counts. */
const TIME_SAMPLES_MAX = 5;
/** An answer that disagrees with what is known by more than this, beside its round trip, shows that a clock was set. */
export const CLOCK_JUMP_MS: DurationMs = 2_000;
/** `Date` is rounded down to whole seconds: half of one is right on average. */
const DATE_ROUNDING_MS: DurationMs = 500;

export interface ServerTime {
  /** Exchange's clock minus ours, ms; undefined before the first sample. */
  offsetMs(): DurationMs | undefined;
  /** Ours before the first sample. */
  now(): EpochMs;
  /** `/api/v3/time` said `serverTime`. */
  sampled(serverTime: EpochMs, answer: Timing): void;
  /** Any answer: only looked at for a jump, and only once a sample is there. */
  answered(answer: Timing): void;
}

type Timing = Pick<RestAnswer, 'answeredAt' | 'sentAt' | 'tookMs'>;

interface Sample {
  readonly offsetMs: DurationMs;
  readonly tookMs: DurationMs;
}

export function createServerTime(clock: Clock): ServerTime {
  let samples: Sample[] = [];
  let offsetMs = 0;

  function add(sample: Sample): void {
    const isJump = Math.abs(sample.offsetMs - offsetMs) > CLOCK_JUMP_MS + sample.tookMs / 2;
    samples = isJump ? [sample] : [...samples, sample].slice(-TIME_SAMPLES_MAX);
    offsetMs = samples.reduce((best, one) => (one.tookMs < best.tookMs ? one : best)).offsetMs;
  }

  return {
    offsetMs: () => (samples.length === 0 ? undefined : offsetMs),
    now: () => addMs(clock.now(), offsetMs),
    sampled(serverTime, { sentAt, tookMs }) {
      // The clock was set meanwhile: only what it shows now says anything.
      const isTorn = tookMs < 0 || clock.now() - sentAt > tookMs + CLOCK_JUMP_MS;
      const between = isTorn ? clock.now() : sentAt + tookMs / 2;
      add({ offsetMs: Math.round(serverTime - between), tookMs: Math.max(0, tookMs) });
    },
    answered({ answeredAt, sentAt, tookMs }) {
      if (answeredAt === undefined || samples.length === 0) return;
      const from = sentAt + offsetMs - CLOCK_JUMP_MS;
      const to = sentAt + tookMs + offsetMs + CLOCK_JUMP_MS;
      if (answeredAt >= from && answeredAt <= to) return;
      add({ offsetMs: answeredAt + DATE_ROUNDING_MS - clock.now(), tookMs: Math.abs(tookMs) });
    },
  };
}

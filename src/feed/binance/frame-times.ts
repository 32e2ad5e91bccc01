// Whether an event's times can be: near the exchange's clock, as REST or the frames before it say. No clock of the machine decides alone:
// it may jump, and then the frames, which go on as before, are right.
import { type DurationMs, type EpochMs, MINUTE_MS } from '../../core/market/time.ts';

/** An event sent so far ahead of the exchange's time, or behind it, is none. Behind: a process that was stopped finds frames of then. */
export const EVENT_AHEAD_MS_MAX: DurationMs = MINUTE_MS;
export const EVENT_BEHIND_MS_MAX: DurationMs = 10 * MINUTE_MS;
/** What an event tells of happened at most so long after it was sent (clocks of the exchange's machines), or before. */
export const SENT_BEFORE_MS_MAX: DurationMs = 1_000;
export const SENT_AFTER_MS_MAX: DurationMs = 10 * MINUTE_MS;
/** So many frames in a row that agree with each other are believed against all else: the machine's clock was set, or it slept. */
export const AGREEING_FRAMES = 3;

/** Why an event's times cannot be; undefined where they can. `sent`: `E`; `happened`: `T`, or the end of the kline's window. */
export type TimesFault = (sent: EpochMs, happened: EpochMs) => string | undefined;

/** `now`: the exchange's clock, as REST says; undefined before it has, and then nothing is judged. */
export function createFrameTimes(now: () => EpochMs | undefined): TimesFault {
  let last: EpochMs | undefined;
  let odd: EpochMs | undefined;
  let agreeing = 0;

  /** Counts the odd ones in a row that are near each other. */
  function isNewTime(sent: EpochMs): boolean {
    agreeing = odd !== undefined && isNear(sent, odd) ? agreeing + 1 : 1;
    odd = sent;
    return agreeing >= AGREEING_FRAMES;
  }

  return (sent, happened) => {
    const time = now();
    if (time === undefined) return undefined;
    if (happened > sent + SENT_BEFORE_MS_MAX || happened < sent - SENT_AFTER_MS_MAX) {
      return `Expected a time from ${SENT_AFTER_MS_MAX} ms before to ${SENT_BEFORE_MS_MAX} ms after the event's sending at ${sent}, was ${happened}`;
    }
    if (!(last !== undefined && isNear(sent, last)) && !isNear(sent, time) && !isNewTime(sent)) {
      return `Expected an event sent from ${EVENT_BEHIND_MS_MAX} ms before to ${EVENT_AHEAD_MS_MAX} ms after the exchange's time ${time}, was ${sent}`;
    }
    last = sent;
    agreeing = 0;
    odd = undefined;
    return undefined;
  };
}

function isNear(sent: EpochMs, time: EpochMs): boolean {
  return sent <= time + EVENT_AHEAD_MS_MAX && sent >= time - EVENT_BEHIND_MS_MAX;
}

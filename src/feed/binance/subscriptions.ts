// What one socket is subscribed to, what it should be, and the next message to say so. No I/O and no clock: answers and times are handed in.
// One message at a time, so many a second, in parts; a refused part is halved until the stream at fault stands alone.
import type { DurationMs, EpochMs } from '../../core/market/time.ts';

/** The exchange's limit a connection. */
export const STREAMS_MAX = 1_024;
/** Streams in one message. */
export const SUBSCRIBE_STREAMS_MAX = 200;
/** Between two messages: at most 3 in any second, so that two of the exchange's 5 are left to pongs and to jitter. */
export const MESSAGE_INTERVAL_MS: DurationMs = 350;
/** A message without an answer for so long counts as refused. */
export const REPLY_MS_MAX: DurationMs = 5_000;
/** After a refusal the next message waits so long. */
export const REFUSED_PAUSE_MS: DurationMs = 1_000;
/** A stream refused by itself so often is passed over: the others go on without it … */
export const REFUSALS_MAX = 3;
/** … and it is asked for again after this. */
export const ASK_AGAIN_MS: DurationMs = 60_000;

export type NextMessage =
  | { readonly type: 'send'; readonly text: string }
  /** Nothing to send now; ask again after `ms` (`Infinity`: when something has happened). */
  | { readonly type: 'wait'; readonly ms: DurationMs };

export interface Subscriptions {
  /** The streams it should have from now on. */
  want(streams: readonly string[]): void;
  /** Streams that need no message: those in the address. */
  has(streams: readonly string[]): void;
  /** The message to send at `now`; it counts as sent. */
  next(now: EpochMs): NextMessage;
  /** The exchange's answer to message `id`. Another's id is ignored. */
  answered(id: number | undefined, error: string | undefined, now: EpochMs): void;
  isConfirmed(stream: string): boolean;
  /** All that is wanted is confirmed or, for now, passed over. */
  isSettled(): boolean;
}

interface Asked {
  readonly id: number;
  readonly method: 'SUBSCRIBE' | 'UNSUBSCRIBE';
  readonly streams: readonly string[];
  readonly sentAt: EpochMs;
}

/** `onRefused` is told of each refusal, with the streams concerned and the exchange's reason. */
export function createSubscriptions(
  onRefused: (streams: readonly string[], reason: string) => void,
): Subscriptions {
  let wanted: ReadonlySet<string> = new Set();
  const confirmed = new Set<string>();
  /** Wanted, not confirmed, not asked for, not passed over; in the order they are asked for. */
  let queue: string[] = [];
  const refusals = new Map<string, number>();
  const passedOver = new Map<string, EpochMs>();
  let asked: Asked | undefined;
  let lastId = 0;
  let partMax = SUBSCRIBE_STREAMS_MAX;
  let notBefore = 0;

  function refused({ method, streams }: Asked, reason: string, now: EpochMs): void {
    notBefore = Math.max(notBefore, now + REFUSED_PAUSE_MS);
    onRefused(streams, reason);
    if (method === 'SUBSCRIBE' && streams.length === 1) refusedAlone(streams[0] ?? '', now);
    if (method === 'SUBSCRIBE') partMax = Math.max(1, Math.floor(streams.length / 2));
    queue = queueOf();
  }

  function refusedAlone(stream: string, now: EpochMs): void {
    if (!wanted.has(stream)) return;
    const times = (refusals.get(stream) ?? 0) + 1;
    refusals.set(stream, times);
    if (times >= REFUSALS_MAX) passedOver.set(stream, now);
  }

  function accepted({ method, streams }: Asked): void {
    if (method === 'SUBSCRIBE') {
      for (const stream of streams) {
        confirmed.add(stream);
        refusals.delete(stream);
      }
      partMax = Math.min(SUBSCRIBE_STREAMS_MAX, partMax * 2);
    }
    queue = queueOf();
  }

  /** Those that wait already, then the others: what was refused goes to the end. */
  function queueOf(): string[] {
    const known = new Set([...confirmed, ...passedOver.keys(), ...(asked?.streams ?? [])]);
    const kept = queue.filter((stream) => wanted.has(stream) && !known.has(stream));
    const queued = new Set(kept);
    return [...kept, ...[...wanted].filter((one) => !known.has(one) && !queued.has(one))];
  }

  function send(method: Asked['method'], streams: readonly string[], now: EpochMs): NextMessage {
    lastId += 1;
    asked = { id: lastId, method, streams, sentAt: now };
    notBefore = now + MESSAGE_INTERVAL_MS;
    return { type: 'send', text: JSON.stringify({ method, params: streams, id: lastId }) };
  }

  /** What cannot be left is as good as left: nobody listens to it. */
  function leave(streams: readonly string[], now: EpochMs): NextMessage {
    for (const stream of streams) confirmed.delete(stream);
    return send('UNSUBSCRIBE', streams, now);
  }

  function askAgain(now: EpochMs): void {
    for (const [stream, at] of passedOver) {
      if (now - at < ASK_AGAIN_MS) continue;
      passedOver.delete(stream);
      refusals.set(stream, REFUSALS_MAX - 1);
      queue.push(stream);
    }
  }

  function nextDue(now: EpochMs): NextMessage {
    const oldest = Math.min(...passedOver.values());
    return { type: 'wait', ms: oldest + ASK_AGAIN_MS - now };
  }

  return {
    want(streams) {
      wanted = new Set(streams);
      for (const stream of passedOver.keys()) if (!wanted.has(stream)) passedOver.delete(stream);
      for (const stream of refusals.keys()) if (!wanted.has(stream)) refusals.delete(stream);
      queue = queueOf();
    },
    has(streams) {
      for (const stream of streams) confirmed.add(stream);
      queue = queueOf();
    },
    next(now) {
      if (asked !== undefined) {
        const left = asked.sentAt + REPLY_MS_MAX - now;
        if (left > 0) return { type: 'wait', ms: left };
        const unanswered = asked;
        asked = undefined;
        refused(unanswered, `no answer within ${REPLY_MS_MAX / 1_000} s`, now);
      }
      if (now < notBefore) return { type: 'wait', ms: notBefore - now };
      // First what is too much: the sum of both must stay below the exchange's limit.
      const left = [...confirmed].filter((stream) => !wanted.has(stream));
      if (left.length > 0) return leave(left.slice(0, SUBSCRIBE_STREAMS_MAX), now);
      askAgain(now);
      const part = queue.splice(0, partMax);
      return part.length > 0 ? send('SUBSCRIBE', part, now) : nextDue(now);
    },
    answered(id, error, now) {
      if (asked === undefined || asked.id !== id) return;
      const was = asked;
      asked = undefined;
      if (error === undefined) accepted(was);
      else refused(was, error, now);
    },
    isConfirmed: (stream) => confirmed.has(stream),
    isSettled() {
      for (const stream of wanted) {
        if (!confirmed.has(stream) && !passedOver.has(stream)) return false;
      }
      return true;
    },
  };
}

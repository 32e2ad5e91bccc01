// One socket of a connection, from its turn to its end: carries out what the machine says (connection-life.ts). Plumbing; it decides nothing.
import type { Clock, DurationMs, EpochMs } from '../../core/market/time.ts';
import { type AttemptBudget, type BackOff, delayMs } from './back-off.ts';
import {
  dueEvent,
  LIFE,
  type LifeEvent,
  type LifeLimits,
  type LifeState,
} from './connection-life.ts';
import type { Frame } from './frames.ts';
import { failureText } from './rest-request.ts';
import type { Socket } from './socket.ts';
import { createSubscriptions } from './subscriptions.ts';
import type { Transport } from './transport.ts';
import { createWake } from './wake.ts';

/** Longest `?streams=` in the address; further streams are subscribed to by messages. */
export const URL_STREAMS_LENGTH_MAX = 3_000;
/** A loop with nothing to wait for looks again after this. */
const IDLE_MS: DurationMs = 60_000;

export interface Link {
  state(): LifeState;
  /** Whether the exchange has confirmed the stream to this socket. */
  isConfirmed(stream: string): boolean;
  /** The streams it carries from now on. */
  carry(streams: readonly string[]): void;
  /** Another socket serves. */
  relieve(): void;
  pause(): void;
  resume(): void;
  /** Until it is over. Never rejects. `livedMs`: undefined where it never opened; `reason`: one line. */
  run(): Promise<LinkEnd>;
}

export interface LinkEnd {
  readonly livedMs: DurationMs | undefined;
  /** Ended by us because another serves. */
  readonly isPlanned: boolean;
  readonly reason: string;
}

export interface LinkOptions {
  /** Base URL without a path. */
  readonly base: string;
  readonly backOff: BackOff;
  readonly attempts: AttemptBudget;
  readonly limits: LifeLimits;
  readonly transport: Pick<Transport, 'openSocket'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly readFrame: (bytes: Uint8Array) => Frame;
  /** What is neither an answer nor word of a shutdown. */
  readonly onFrame: (frame: Frame, bytes: Uint8Array) => void;
  /** Its state, by this event, or what it has confirmed has changed. */
  readonly onChange: (change: LifeEvent | 'confirmed') => void;
  /** It has begun to serve: the others are not needed any more. */
  readonly onServes: () => void;
  readonly onRefused: (reason: string) => void;
  readonly signal: AbortSignal;
}

export function createLink(options: LinkOptions): Link {
  const { base, clock, limits, signal } = options;
  const host = new URL(base).host;
  const over = new AbortController();
  const end = AbortSignal.any([over.signal, signal]);
  const work = createWake(clock);
  const subscriptions = createSubscriptions((streams, reason) => {
    options.onRefused(`${host} refused ${streamsText(streams)}: ${reason}`);
  });
  let state: LifeState = 'waiting';
  let streams: readonly string[] = [];
  let socket: Socket | undefined;
  let isPaused = false;
  let reason = `${host}: closed`;
  let openedAt: EpochMs | undefined;
  let heardAt = 0 as EpochMs;
  let relievedAt = 0 as EpochMs;
  let isPlanned = false;

  function happen(event: LifeEvent, why?: string): void {
    const { to, act } = LIFE[state][event];
    const hasChanged = to !== state;
    state = to;
    if (act === 'end') socket?.end();
    if (!hasChanged) return;
    if (why !== undefined) reason = why;
    if (to === 'over') {
      isPlanned = event === 'relieved' || event === 'overlapped';
      over.abort();
    }
    if (act === 'relieve') options.onServes();
    work.wake();
    options.onChange(event);
  }

  function receive(bytes: Uint8Array): void {
    if (state === 'over') return;
    heardAt = clock.now();
    const frame = options.readFrame(bytes);
    switch (frame.type) {
      case 'reply':
        subscriptions.answered(frame.id, frame.error, heardAt);
        work.wake();
        if (frame.error === undefined) options.onChange('confirmed');
        break;
      case 'shutdown':
        happen('shutdown', 'the exchange announced a shutdown');
        break;
      default:
        happen('frame');
        options.onFrame(frame, bytes);
    }
  }

  async function waitForTurn(): Promise<void> {
    await clock.sleep(delayMs(options.backOff, options.random()), end);
    while (!end.aborted) {
      const ms = options.attempts.take(clock.now());
      if (ms === 0) return;
      await clock.sleep(ms, end);
    }
  }

  async function open(): Promise<Socket> {
    const inUrl = withinUrl(streams);
    const url = new URL(`/stream?streams=${inUrl.map(encodeStream).join('/')}`, base);
    const opening = await options.transport.openSocket(url, { signal: end, onFrame: receive });
    subscriptions.has(inUrl);
    subscriptions.want(streams);
    socket = opening;
    openedAt = clock.now();
    heardAt = openedAt;
    if (isPaused) opening.pause();
    return opening;
  }

  /** Does one thing that is due and answers 0, or how long nothing will be. */
  function step(open: Socket, now: EpochMs): DurationMs {
    const due = dueEvent(state, { openedAt: openedAt ?? now, heardAt, relievedAt }, now, limits);
    if ('event' in due) {
      happen(due.event, silenceText(due.event, now - heardAt));
      return 0;
    }
    const message = subscriptions.next(now);
    if (message.type === 'send') {
      open.send(message.text);
      return 0;
    }
    if (state === 'subscribing' && subscriptions.isSettled()) {
      happen('settled');
      return 0;
    }
    return Math.min(due.inMs, message.ms, IDLE_MS);
  }

  async function attend(open: Socket): Promise<void> {
    while (!end.aborted) {
      const now = clock.now();
      // Not read from, it cannot speak: that is our doing.
      if (isPaused) heardAt = now;
      const ms = step(open, now);
      if (ms > 0) await work.wait(ms, end);
    }
  }

  async function live(): Promise<void> {
    const opening = await open();
    const closed = opening.closed.then((why) => happen('closed', `${host}: ${why}`));
    happen('opened');
    await attend(opening);
    opening.end();
    await closed;
  }

  return {
    state: () => state,
    isConfirmed: subscriptions.isConfirmed,
    carry(all) {
      streams = all;
      if (socket === undefined) return;
      subscriptions.want(all);
      work.wake();
    },
    relieve() {
      relievedAt = clock.now();
      happen('relieved');
    },
    pause() {
      isPaused = true;
      socket?.pause();
    },
    resume() {
      isPaused = false;
      heardAt = clock.now();
      socket?.resume();
    },
    async run() {
      await waitForTurn();
      if (!end.aborted) {
        happen('turn');
        await live().catch((error: unknown) => happen('closed', `${host}: ${failureText(error)}`));
      }
      state = 'over';
      const livedMs = openedAt === undefined ? undefined : clock.now() - openedAt;
      return { livedMs, isPlanned, reason };
    },
  };
}

function silenceText(event: LifeEvent, ms: DurationMs): string | undefined {
  if (event === 'silent') return 'the exchange has fallen silent';
  return event === 'frozen' ? `silent for ${Math.round(ms / 1_000)} s` : undefined;
}

function streamsText(streams: readonly string[]): string {
  const [first = ''] = streams;
  return streams.length === 1 ? first : `${first} and ${streams.length - 1} more streams`;
}

/** The first streams, as many as fit into the address. */
function withinUrl(streams: readonly string[]): readonly string[] {
  let length = 0;
  const beyond = streams.findIndex((stream) => {
    length += encodeURIComponent(stream).length + 1;
    return length > URL_STREAMS_LENGTH_MAX;
  });
  return beyond < 0 ? streams : streams.slice(0, beyond);
}

/** `@` stays readable; what is not ASCII is escaped. */
function encodeStream(stream: string): string {
  return encodeURIComponent(stream).replaceAll('%40', '@');
}

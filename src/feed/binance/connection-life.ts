// The life of one socket to the exchange, and of several that overlap: pure. The table is the whole truth; SPEC.md says it in rules.
// No clock, no socket: what happens is an event, what is to be done an act.
import type { DurationMs, EpochMs } from '../../core/market/time.ts';

/**
 * - waiting: for its turn to be opened (back-off, the shared budget of attempts)
 * - opening: the handshake is under way
 * - subscribing: open; not every stream is confirmed
 * - proving: all streams are confirmed; nothing has come since
 * - mute: proving, and silent for `staleAfterMs`
 * - serving: confirmed and delivering: the connection's one main socket
 * - stale: was serving, has fallen silent
 * - leaving: still delivers, but its end is near: a successor is wanted
 * - frozen: silent for `silenceMs`: what it may have lost counts as lost, a successor is wanted
 * - overlapping: its successor serves; delivers for `overlapMs` more, so that nothing is lost between two of the exchange's nodes
 * - over: closed
 */
export const LIFE_STATES = [
  'waiting',
  'opening',
  'subscribing',
  'proving',
  'mute',
  'serving',
  'stale',
  'leaving',
  'frozen',
  'overlapping',
  'over',
] as const;
export type LifeState = (typeof LIFE_STATES)[number];

/**
 * - turn: the attempt may be made · opened: the handshake succeeded · settled: every stream is confirmed, or given up
 * - frame: something came · silent, frozen: nothing came for `staleAfterMs`, `silenceMs`
 * - aged: `rotateAfterMs` old · shutdown: the exchange announced this socket's end
 * - relieved: another socket of this connection serves · overlapped: `overlapMs` after that
 * - closed: the socket is closed or was never opened
 */
export const LIFE_EVENTS = [
  'turn',
  'opened',
  'settled',
  'frame',
  'silent',
  'frozen',
  'aged',
  'shutdown',
  'relieved',
  'overlapped',
  'closed',
] as const;
export type LifeEvent = (typeof LIFE_EVENTS)[number];

/** `relieve` the connection's other sockets: this one serves · `end` this socket at once */
export type LifeAct = 'relieve' | 'end';

export interface Outcome {
  readonly to: LifeState;
  readonly act?: LifeAct;
}

const to = (state: LifeState, act?: LifeAct): Outcome =>
  act === undefined ? { to: state } : { to: state, act };

export const LIFE: Readonly<Record<LifeState, Readonly<Record<LifeEvent, Outcome>>>> = {
  waiting: {
    turn: to('opening'),
    opened: to('waiting'),
    settled: to('waiting'),
    frame: to('waiting'),
    silent: to('waiting'),
    frozen: to('waiting'),
    aged: to('waiting'),
    shutdown: to('waiting'),
    relieved: to('over'),
    overlapped: to('waiting'),
    closed: to('over'),
  },
  opening: {
    turn: to('opening'),
    opened: to('subscribing'),
    settled: to('opening'),
    frame: to('opening'),
    silent: to('opening'),
    frozen: to('opening'),
    aged: to('opening'),
    shutdown: to('opening'),
    relieved: to('over', 'end'),
    overlapped: to('opening'),
    closed: to('over'),
  },
  subscribing: {
    turn: to('subscribing'),
    opened: to('subscribing'),
    settled: to('proving'),
    frame: to('subscribing'),
    silent: to('subscribing'),
    frozen: to('over', 'end'),
    aged: to('over', 'end'),
    shutdown: to('over', 'end'),
    relieved: to('over', 'end'),
    overlapped: to('subscribing'),
    closed: to('over'),
  },
  proving: {
    turn: to('proving'),
    opened: to('proving'),
    settled: to('proving'),
    frame: to('serving', 'relieve'),
    silent: to('mute'),
    frozen: to('over', 'end'),
    aged: to('over', 'end'),
    shutdown: to('leaving'),
    relieved: to('overlapping'),
    overlapped: to('proving'),
    closed: to('over'),
  },
  mute: {
    turn: to('mute'),
    opened: to('mute'),
    settled: to('mute'),
    frame: to('serving', 'relieve'),
    silent: to('mute'),
    frozen: to('over', 'end'),
    aged: to('over', 'end'),
    shutdown: to('over', 'end'),
    relieved: to('over', 'end'),
    overlapped: to('mute'),
    closed: to('over'),
  },
  serving: {
    turn: to('serving'),
    opened: to('serving'),
    settled: to('serving'),
    frame: to('serving'),
    silent: to('stale'),
    frozen: to('frozen'),
    aged: to('leaving'),
    shutdown: to('leaving'),
    relieved: to('overlapping'),
    overlapped: to('serving'),
    closed: to('over'),
  },
  stale: {
    turn: to('stale'),
    opened: to('stale'),
    settled: to('stale'),
    frame: to('serving'),
    silent: to('stale'),
    frozen: to('frozen'),
    aged: to('frozen'),
    shutdown: to('frozen'),
    relieved: to('overlapping'),
    overlapped: to('stale'),
    closed: to('over'),
  },
  leaving: {
    turn: to('leaving'),
    opened: to('leaving'),
    settled: to('leaving'),
    frame: to('leaving'),
    silent: to('frozen'),
    frozen: to('frozen'),
    aged: to('leaving'),
    shutdown: to('leaving'),
    relieved: to('overlapping'),
    overlapped: to('leaving'),
    closed: to('over'),
  },
  frozen: {
    turn: to('frozen'),
    opened: to('frozen'),
    settled: to('frozen'),
    frame: to('leaving'),
    silent: to('frozen'),
    frozen: to('frozen'),
    aged: to('frozen'),
    shutdown: to('frozen'),
    relieved: to('over', 'end'),
    overlapped: to('frozen'),
    closed: to('over'),
  },
  overlapping: {
    turn: to('overlapping'),
    opened: to('overlapping'),
    settled: to('overlapping'),
    frame: to('overlapping'),
    silent: to('overlapping'),
    frozen: to('over', 'end'),
    aged: to('overlapping'),
    shutdown: to('overlapping'),
    relieved: to('overlapping'),
    overlapped: to('over', 'end'),
    closed: to('over'),
  },
  over: {
    turn: to('over'),
    opened: to('over', 'end'),
    settled: to('over'),
    frame: to('over'),
    silent: to('over'),
    frozen: to('over'),
    aged: to('over'),
    shutdown: to('over'),
    relieved: to('over'),
    overlapped: to('over'),
    closed: to('over'),
  },
};

interface Standing {
  /** `coming`: may serve one day · `staying`: no other is wanted · `going`: another is wanted */
  readonly role: 'coming' | 'staying' | 'going' | 'over';
  /** What it has confirmed is delivered without a break. */
  readonly covers: boolean;
  /** What the user is told where this is the connection's best socket. */
  readonly view: 'open' | 'stale' | 'none';
}

const standing = (
  role: Standing['role'],
  covers: boolean,
  view: Standing['view'] = 'none',
): Standing => ({ role, covers, view });

export const STANDING: Readonly<Record<LifeState, Standing>> = {
  waiting: standing('coming', false),
  opening: standing('coming', false),
  subscribing: standing('coming', true),
  proving: standing('coming', true, 'open'),
  mute: standing('coming', true, 'stale'),
  serving: standing('staying', true, 'open'),
  stale: standing('staying', true, 'stale'),
  leaving: standing('going', true, 'open'),
  frozen: standing('going', false, 'stale'),
  overlapping: standing('going', true, 'open'),
  over: standing('over', false),
};

/** Whether the connection must open another socket beside these. */
export function wantsAnother(states: readonly LifeState[]): boolean {
  return states.every((state) => !['coming', 'staying'].includes(STANDING[state].role));
}

/** What the user is told of a connection with these sockets; `none`: no data comes. */
export function viewOf(states: readonly LifeState[]): Standing['view'] {
  const views = states.map((state) => STANDING[state].view);
  if (views.includes('open')) return 'open';
  return views.includes('stale') ? 'stale' : 'none';
}

export interface LifeLimits {
  readonly staleAfterMs: DurationMs;
  readonly silenceMs: DurationMs;
  readonly rotateAfterMs: DurationMs;
  readonly overlapMs: DurationMs;
}

export interface LifeTimes {
  readonly openedAt: EpochMs;
  readonly heardAt: EpochMs;
  /** When another socket began to serve. */
  readonly relievedAt: EpochMs;
}

type TimedEvent = 'silent' | 'frozen' | 'aged' | 'overlapped';

/** What time alone brings about in each state, the first of those due first. */
const TIMED: Readonly<Record<LifeState, readonly TimedEvent[]>> = {
  waiting: [],
  opening: [],
  subscribing: ['frozen'],
  proving: ['silent'],
  mute: ['frozen'],
  serving: ['silent', 'aged'],
  stale: ['frozen'],
  leaving: ['silent'],
  frozen: [],
  overlapping: ['overlapped'],
  over: [],
};

/** The event that time has brought by `now`, else how long until the next one: `Infinity` where none will come. */
export function dueEvent(
  state: LifeState,
  times: LifeTimes,
  now: EpochMs,
  limits: LifeLimits,
): { readonly event: LifeEvent } | { readonly inMs: DurationMs } {
  let inMs = Number.POSITIVE_INFINITY;
  for (const event of TIMED[state]) {
    const left = dueAt(event, times, limits) - now;
    if (left <= 0) return { event };
    inMs = Math.min(inMs, left);
  }
  return { inMs };
}

function dueAt(event: TimedEvent, times: LifeTimes, limits: LifeLimits): number {
  switch (event) {
    case 'silent':
      return times.heardAt + limits.staleAfterMs;
    case 'frozen':
      return times.heardAt + limits.silenceMs;
    case 'aged':
      return times.openedAt + limits.rotateAfterMs;
    case 'overlapped':
      return times.relievedAt + limits.overlapMs;
  }
}

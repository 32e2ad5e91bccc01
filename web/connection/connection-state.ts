// When the page connects, gives up and tries again: a pure reducer. Opens no socket and reads no clock.

/** Silence after which the page says that the server is gone (its heartbeat comes every second). */
export const SILENCE_MS_MAX = 3_000;
/** Silence after which an open socket is taken for dead and opened anew. */
export const DEAD_SOCKET_MS = 6_000;
export const CONNECT_MS_MAX = 5_000;
export const RETRY_MS_MIN = 400;
export const RETRY_MS_MAX = 8_000;

export interface ConnectionState {
  readonly phase: 'connecting' | 'open' | 'waiting';
  /** When the phase began, ms on the page's clock. */
  readonly since: number;
  /** Failed attempts since the last message. */
  readonly attempts: number;
  readonly lastMessageAt: number | undefined;
  /** While waiting: when to try again. */
  readonly retryAt: number | undefined;
}

export type ConnectionEvent =
  | { readonly type: 'opened' | 'message' | 'tick' | 'retry-now'; readonly now: number }
  /** `random` in [0, 1) spreads the retries of many pages. */
  | { readonly type: 'closed'; readonly now: number; readonly random: number };

export type ConnectionAction = 'connect' | 'drop' | 'none';

export interface ConnectionStep {
  readonly state: ConnectionState;
  readonly action: ConnectionAction;
}

/** The first state: its socket is being opened. */
export function startConnection(now: number): ConnectionState {
  return {
    phase: 'connecting',
    since: now,
    attempts: 0,
    lastMessageAt: undefined,
    retryAt: undefined,
  };
}

/** One step. `drop`: close the socket, whose `closed` event follows; `connect`: open a new one. */
export function stepConnection(state: ConnectionState, event: ConnectionEvent): ConnectionStep {
  switch (event.type) {
    case 'opened':
      return stay({ ...state, phase: 'open', since: event.now, retryAt: undefined });
    case 'message':
      return stay({ ...state, attempts: 0, lastMessageAt: event.now });
    case 'closed':
      return stay({
        ...state,
        phase: 'waiting',
        since: event.now,
        attempts: state.attempts + 1,
        retryAt: event.now + retryDelayMs(state.attempts, event.random),
      });
    case 'tick':
      return tick(state, event.now);
    case 'retry-now':
      return state.phase === 'waiting' ? connect(state, event.now) : stay(state);
  }
}

/** 0.4 s, doubling to 8 s, of which a random half is left out. */
export function retryDelayMs(attempts: number, random: number): number {
  return Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(attempts, 10)) * (1 - random / 2);
}

/** Whether the page must say that it has no connection; the first seconds of the first visit are not yet that. */
export function isServerLost(state: ConnectionState, now: number): boolean {
  // Until the server has spoken again: a socket that is being opened, or is open, is no word of it.
  if (state.attempts > 0 && state.lastMessageAt !== undefined) return true;
  const heardAt = state.lastMessageAt ?? (state.attempts > 0 ? 0 : state.since);
  return now - heardAt > SILENCE_MS_MAX;
}

function tick(state: ConnectionState, now: number): ConnectionStep {
  switch (state.phase) {
    case 'waiting':
      return state.retryAt !== undefined && now >= state.retryAt
        ? connect(state, now)
        : stay(state);
    case 'connecting':
      return { state, action: now - state.since > CONNECT_MS_MAX ? 'drop' : 'none' };
    case 'open': {
      const heardAt = Math.max(state.since, state.lastMessageAt ?? 0);
      return { state, action: now - heardAt > DEAD_SOCKET_MS ? 'drop' : 'none' };
    }
  }
}

function connect(state: ConnectionState, now: number): ConnectionStep {
  return {
    state: { ...state, phase: 'connecting', since: now, retryAt: undefined },
    action: 'connect',
  };
}

function stay(state: ConnectionState): ConnectionStep {
  return { state, action: 'none' };
}

// When the page connects, gives up, tries again, and when it must say that the server is gone.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  CONNECT_MS_MAX,
  type ConnectionEvent,
  type ConnectionState,
  DEAD_SOCKET_MS,
  isServerLost,
  RETRY_MS_MAX,
  RETRY_MS_MIN,
  retryDelayMs,
  SILENCE_MS_MAX,
  startConnection,
  stepConnection,
} from './connection-state.ts';

function after(...events: ConnectionEvent[]): ConnectionState {
  return events.reduce((state, event) => stepConnection(state, event).state, startConnection(0));
}

const opened = after({ type: 'opened', now: 100 }, { type: 'message', now: 110 });

describe('stepConnection', () => {
  it('waits after a close, then connects when the time has come', () => {
    const waiting = after({ type: 'closed', now: 1_000, random: 0 });
    assert.equal(waiting.retryAt, 1_000 + RETRY_MS_MIN);
    assert.equal(stepConnection(waiting, { type: 'tick', now: 1_399 }).action, 'none');
    const step = stepConnection(waiting, { type: 'tick', now: 1_400 });
    assert.equal(step.action, 'connect');
    assert.equal(step.state.phase, 'connecting');
  });

  it('connects at once when told that the network is back, but never twice', () => {
    const waiting = after({ type: 'closed', now: 1_000, random: 0 });
    const step = stepConnection(waiting, { type: 'retry-now', now: 1_001 });
    assert.equal(step.action, 'connect');
    assert.equal(stepConnection(step.state, { type: 'retry-now', now: 1_002 }).action, 'none');
    assert.equal(stepConnection(opened, { type: 'retry-now', now: 120 }).action, 'none');
  });

  it('drops an attempt that takes too long and a socket that says nothing', () => {
    const late = { type: 'tick', now: CONNECT_MS_MAX + 1 } as const;
    assert.equal(stepConnection(startConnection(0), late).action, 'drop');
    const silent = { type: 'tick', now: 110 + DEAD_SOCKET_MS + 1 } as const;
    assert.equal(stepConnection(opened, silent).action, 'drop');
  });

  it('starts the back-off anew only with a message: an open socket alone proves nothing', () => {
    const flapping = after(
      { type: 'closed', now: 0, random: 0 },
      { type: 'opened', now: 500 },
      { type: 'closed', now: 501, random: 0 },
    );
    assert.equal(flapping.attempts, 2);
    const heard = stepConnection(flapping, { type: 'message', now: 600 }).state;
    assert.equal(heard.attempts, 0);
  });

  it('waits longer each time, between half and all of the delay, never past the limit', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (times, random) => {
          const delay = retryDelayMs(times, random);
          assert.ok(delay >= RETRY_MS_MIN / 2 && delay <= RETRY_MS_MAX);
          assert.ok(retryDelayMs(times + 1, random) >= delay);
        },
      ),
    );
  });
});

describe('isServerLost', () => {
  it('after a lost connection the page waits for a word, not for a socket', () => {
    let state = stepConnection(startConnection(0), { type: 'message', now: 10 }).state;
    state = stepConnection(state, { type: 'closed', now: 20, random: 0 }).state;
    state = stepConnection(state, { type: 'retry-now', now: 30 }).state;
    assert.equal(isServerLost(state, 31), true, 'connecting');
    state = stepConnection(state, { type: 'opened', now: 40 }).state;
    assert.equal(isServerLost(state, 41), true, 'open');
    state = stepConnection(state, { type: 'message', now: 50 }).state;
    assert.equal(isServerLost(state, 51), false);
  });

  it('is not said before a first visit had time to connect', () => {
    assert.equal(isServerLost(startConnection(0), SILENCE_MS_MAX), false);
    assert.equal(isServerLost(startConnection(0), SILENCE_MS_MAX + 1), true);
  });

  it('is said after silence on an open socket, well within 5 s', () => {
    assert.equal(isServerLost(opened, 110 + SILENCE_MS_MAX), false);
    assert.equal(isServerLost(opened, 110 + SILENCE_MS_MAX + 1), true);
    assert.ok(SILENCE_MS_MAX < 5_000);
  });

  it('is said at once when the socket of a running page closes', () => {
    const closed = stepConnection(opened, { type: 'closed', now: 120, random: 0 }).state;
    assert.equal(isServerLost(closed, 121), true);
  });

  it('is said while no attempt has ever succeeded', () => {
    const refused = after({ type: 'closed', now: 4_000, random: 0 });
    assert.equal(isServerLost(refused, 4_001), true);
  });
});

// The machine by its rules (SPEC.md): paths through it, and what holds after any events in any order.
import '../../../test/property-seed.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EpochMs } from '../../core/market/time.ts';
import {
  dueEvent,
  LIFE,
  LIFE_EVENTS,
  LIFE_STATES,
  type LifeEvent,
  type LifeState,
  STANDING,
  viewOf,
  wantsAnother,
} from './connection-life.ts';

const after = (...events: readonly LifeEvent[]): LifeState =>
  events.reduce<LifeState>((state, event) => LIFE[state][event].to, 'waiting');

const SERVING = ['turn', 'opened', 'settled', 'frame'] as const;
const states = fc.constantFrom(...LIFE_STATES);
const events = fc.constantFrom(...LIFE_EVENTS);

test('R1: a socket serves once it is open, all its streams are confirmed and something came after that', () => {
  assert.equal(after('turn'), 'opening');
  assert.equal(after('turn', 'opened'), 'subscribing');
  assert.equal(after('turn', 'opened', 'frame'), 'subscribing');
  assert.equal(after('turn', 'opened', 'frame', 'settled'), 'proving');
  assert.equal(after(...SERVING), 'serving');
  for (const state of LIFE_STATES) {
    for (const event of LIFE_EVENTS) {
      const { to, act } = LIFE[state][event];
      const begins = to === 'serving' && !['serving', 'stale'].includes(state);
      assert.equal(act === 'relieve', begins, `${state} ${event}`);
      if (begins) assert(event === 'frame' && ['proving', 'mute'].includes(state));
    }
  }
});

test('R2: a silent socket is stale, and serves again when it speaks', () => {
  assert.equal(after(...SERVING, 'silent'), 'stale');
  assert.equal(after(...SERVING, 'silent', 'frame'), 'serving');
  assert.equal(viewOf(['stale', 'opening']), 'stale');
});

test('R3: silent for longer it is frozen: it covers nothing, another is wanted, and it ends when that serves', () => {
  const frozen = after(...SERVING, 'silent', 'frozen');
  assert.equal(frozen, 'frozen');
  assert(!STANDING[frozen].covers);
  assert(wantsAnother([frozen]));
  assert.deepEqual(LIFE[frozen].relieved, { to: 'over', act: 'end' });
  assert.equal(
    LIFE[frozen].frame.to,
    'leaving',
    'it may speak again; its successor comes all the same',
  );
});

test('R4: a socket that does not come to serve is given up', () => {
  for (const event of ['frozen', 'closed', 'shutdown'] as const) {
    assert.equal(after('turn', 'opened', event), 'over', event);
  }
  assert.equal(after('turn', 'closed'), 'over');
  assert.deepEqual(LIFE.mute.frozen, { to: 'over', act: 'end' });
});

test('a socket whose end is near delivers and covers until its successor has served for a while', () => {
  for (const event of ['aged', 'shutdown'] as const) {
    const leaving = after(...SERVING, event);
    assert.equal(leaving, 'leaving');
    assert(STANDING[leaving].covers && wantsAnother([leaving]));
    const overlapping = LIFE[leaving].relieved.to;
    assert.equal(overlapping, 'overlapping');
    assert(STANDING[overlapping].covers);
    assert.deepEqual(LIFE[overlapping].overlapped, { to: 'over', act: 'end' });
  }
});

test('R8: after any events there is never more than one socket to come nor more than one main one, and one of them always', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), events), { maxLength: 200 }), (steps) => {
      let sockets: LifeState[] = ['waiting'];
      for (const [index, event] of steps) {
        const at = index % sockets.length;
        const { to, act } = LIFE[sockets[at] ?? 'over'][event];
        sockets[at] = to;
        if (act === 'relieve') {
          sockets = sockets.map((state, other) => (other === at ? state : LIFE[state].relieved.to));
        }
        sockets = sockets.filter((state) => state !== 'over');
        if (wantsAnother(sockets)) sockets.push('waiting');
        const roles = sockets.map((state) => STANDING[state].role);
        assert(roles.filter((role) => role === 'coming').length <= 1, sockets.join());
        assert(roles.filter((role) => role === 'staying').length <= 1, sockets.join());
        assert(roles.includes('coming') || roles.includes('staying'), sockets.join());
      }
    }),
  );
});

test('what is over stays over', () => {
  fc.assert(fc.property(events, (event) => LIFE.over[event].to === 'over'));
});

test('time brings silence, age and the end of an overlap, each at its moment', () => {
  const limits = { staleAfterMs: 4, silenceMs: 12, rotateAfterMs: 100, overlapMs: 1 };
  const times = { openedAt: 0, heardAt: 50, relievedAt: 60 } as Record<string, number> as never;
  const at = (state: LifeState, now: number) => dueEvent(state, times, now as EpochMs, limits);
  assert.deepEqual(at('serving', 53), { inMs: 1 });
  assert.deepEqual(at('serving', 54), { event: 'silent' });
  assert.deepEqual(at('stale', 61), { inMs: 1 });
  assert.deepEqual(at('stale', 62), { event: 'frozen' });
  assert.deepEqual(at('overlapping', 61), { event: 'overlapped' });
  assert.deepEqual(at('over', 61), { inMs: Number.POSITIVE_INFINITY });
  const heard = { openedAt: 0, heardAt: 99, relievedAt: 0 } as Record<string, number> as never;
  assert.deepEqual(dueEvent('serving', heard, 100 as EpochMs, limits), { event: 'aged' });
});

test('time never brings the same event again: no state waits for what it ignores', () => {
  const limits = { staleAfterMs: 0, silenceMs: 0, rotateAfterMs: 0, overlapMs: 0 };
  const times = { openedAt: 0, heardAt: 0, relievedAt: 0 } as Record<string, number> as never;
  fc.assert(
    fc.property(states, (state) => {
      const due = dueEvent(state, times, 1 as EpochMs, limits);
      return !('event' in due) || LIFE[state][due.event].to !== state;
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EpochMs } from '../../core/market/time.ts';
import {
  ATTEMPTS_WINDOW_MS,
  attempted,
  broken,
  delayMs,
  INITIAL_BACK_OFF,
  isOffline,
  RECONNECT_DELAY_MS_MAX,
} from './back-off.ts';

test('never more than 300 attempts in 5 minutes, however short the connections live', () => {
  const lives = fc.array(fc.option(fc.nat(8_000), { nil: undefined }), {
    minLength: 400,
    maxLength: 600,
  });
  fc.assert(
    fc.property(
      lives,
      fc.infiniteStream(fc.double({ min: 0, max: 0.99, noNaN: true })),
      (all, random) => {
        let state = INITIAL_BACK_OFF;
        let now = 1_000_000;
        const times: number[] = [];
        for (const lived of all) {
          now += delayMs(state, now as EpochMs, random.next().value ?? 0);
          state = attempted(state, now as EpochMs);
          times.push(now);
          now += lived ?? 0;
          state = broken(state, lived, 2);
        }
        for (const [index, time] of times.entries()) {
          const before = times[index - 300];
          assert(before === undefined || time - before > ATTEMPTS_WINDOW_MS);
        }
      },
    ),
    { numRuns: 30 },
  );
});

test('a connection that lived is tried again at once; failures wait longer and longer, up to a bound', () => {
  const now = 0 as EpochMs;
  assert.equal(delayMs(broken(INITIAL_BACK_OFF, 60_000, 2), now, 0.5), 0);
  let state = INITIAL_BACK_OFF;
  let before = 0;
  for (let failure = 1; failure < 30; failure++) {
    state = broken(state, undefined, 2);
    const delay = delayMs(state, now, 0.5);
    assert(delay >= before && delay <= RECONNECT_DELAY_MS_MAX);
    before = delay;
  }
});

test('endpoints are tried in order; offline is when none opened in a round', () => {
  const one = broken(INITIAL_BACK_OFF, undefined, 2);
  assert.equal(one.urlIndex, 1);
  assert(!isOffline(one, 2));
  const two = broken(one, undefined, 2);
  assert.equal(two.urlIndex, 0);
  assert(isOffline(two, 2));
  assert(!isOffline(broken(two, 100, 2), 2));
});

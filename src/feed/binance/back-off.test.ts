import '../../../test/property-seed.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EpochMs } from '../../core/market/time.ts';
import {
  ATTEMPTS_WINDOW_MS,
  broken,
  createAttemptBudget,
  delayMs,
  INITIAL_BACK_OFF,
  isOffline,
  RECONNECT_DELAY_MS_MAX,
} from './back-off.ts';

const unit = { min: 0, max: 0.99, noNaN: true };

test('R11: never more than 300 attempts in 5 minutes over all connections, however short they live', () => {
  const lives = fc.array(fc.option(fc.nat(8_000), { nil: undefined }), {
    minLength: 200,
    maxLength: 300,
  });
  fc.assert(
    fc.property(fc.array(lives, { minLength: 2, maxLength: 5 }), fc.double(unit), (all, random) => {
      const budget = createAttemptBudget();
      const times: number[] = [];
      // Each connection by itself; the one that is due first comes first.
      const connections = all.map((left) => ({
        left: [...left],
        at: 1_000,
        state: INITIAL_BACK_OFF,
      }));
      for (let done = 0; done < 600; done++) {
        const [next] = connections.sort((a, b) => a.at - b.at);
        if (next === undefined) return;
        const wait = budget.take(next.at as EpochMs);
        if (wait > 0) {
          next.at += wait;
          continue;
        }
        times.push(next.at);
        const lived = next.left.pop() ?? undefined;
        next.state = broken(next.state, lived, 2);
        next.at += (lived ?? 0) + delayMs(next.state, random);
      }
      assert(times.length > 150);
      for (const [index, time] of times.entries()) {
        const before = times[index - 300];
        assert(before === undefined || time - before > ATTEMPTS_WINDOW_MS);
      }
    }),
    { numRuns: 30 },
  );
});

test('R10: a connection that lived is tried again at once; failures wait longer and longer, up to a bound', () => {
  assert.equal(delayMs(broken(INITIAL_BACK_OFF, 60_000, 2), 0.5), 0);
  let state = INITIAL_BACK_OFF;
  let before = 0;
  for (let failure = 1; failure < 30; failure++) {
    state = broken(state, undefined, 2);
    const delay = delayMs(state, 0.5);
    assert(delay >= before && delay <= RECONNECT_DELAY_MS_MAX);
    before = delay;
  }
});

test('R9: endpoints are tried in order; offline is when none opened in a round', () => {
  const one = broken(INITIAL_BACK_OFF, undefined, 2);
  assert.equal(one.urlIndex, 1);
  assert(!isOffline(one, 2));
  const two = broken(one, undefined, 2);
  assert.equal(two.urlIndex, 0);
  assert(isOffline(two, 2));
  assert(!isOffline(broken(two, 100, 2), 2));
});

// The exchange's clock is found through a wrong clock of the page and a slow way.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import {
  CLOCK_SAMPLES_MAX,
  exchangeTimeAt,
  UNKNOWN_CLOCK,
  withPong,
  withStatus,
} from './clock-estimate.ts';

it('is the page’s own clock while nothing is known', () => {
  assert.equal(exchangeTimeAt(UNKNOWN_CLOCK, 5_000), 5_000);
});

it('takes a status message’s time until the first ping is answered', () => {
  const clock = withStatus(UNKNOWN_CLOCK, {
    exchangeTime: 10_500,
    serverTime: 10_000,
    receivedAt: 2_000,
  });
  assert.equal(exchangeTimeAt(clock, 2_000), 10_500);
});

it('prefers the ping with the shortest way', () => {
  let clock = withPong(UNKNOWN_CLOCK, { sentAt: 0, serverTime: 1_010, receivedAt: 20 });
  clock = withPong(clock, { sentAt: 100, serverTime: 1_900, receivedAt: 900 });
  assert.equal(exchangeTimeAt(clock, 20), 1_020);
});

it('drops a reply that came before it was asked for', () => {
  const clock = withPong(UNKNOWN_CLOCK, { sentAt: 100, serverTime: 9, receivedAt: 50 });
  assert.deepEqual(clock, UNKNOWN_CLOCK);
});

it('forgets old pings, so that a clock that drifts is followed', () => {
  let clock = withPong(UNKNOWN_CLOCK, { sentAt: 0, serverTime: 1_000, receivedAt: 0 });
  for (let count = 0; count < CLOCK_SAMPLES_MAX; count++) {
    clock = withPong(clock, { sentAt: 0, serverTime: 2_005, receivedAt: 10 });
  }
  assert.equal(exchangeTimeAt(clock, 0), 2_000);
});

it('errs by no more than half the shortest way', () => {
  const way = fc.integer({ min: 0, max: 400 });
  fc.assert(
    fc.property(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.array(fc.tuple(way, way), { minLength: 1, maxLength: CLOCK_SAMPLES_MAX }),
      (offset, ways) => {
        let clock = UNKNOWN_CLOCK;
        ways.forEach(([there, back], at) => {
          const sentAt = at * 1_000;
          const serverTime = sentAt + there + offset;
          clock = withPong(clock, { sentAt, serverTime, receivedAt: sentAt + there + back });
        });
        const shortest = Math.min(...ways.map(([there, back]) => there + back));
        assert.ok(Math.abs(exchangeTimeAt(clock, 0) - offset) <= shortest / 2);
      },
    ),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EpochMs, epochMs } from '../../core/market/time.ts';
import {
  createFrameTimes,
  EVENT_AHEAD_MS_MAX,
  EVENT_BEHIND_MS_MAX,
  SENT_AFTER_MS_MAX,
  SENT_BEFORE_MS_MAX,
} from './frame-times.ts';

const NOW = epochMs(Date.UTC(2026, 0, 14, 10));
const YEAR_MS = 365 * 86_400_000;
const HOUR_MS = 3_600_000;
const at = (ms: number) => epochMs(NOW + ms);

test('a trade far from its sending is none, and the reason names value and bound', () => {
  const fault = createFrameTimes(() => NOW);
  assert.equal(fault(NOW, NOW), undefined);
  assert.match(fault(NOW, at(YEAR_MS)) ?? '', new RegExp(`after .*was ${NOW + YEAR_MS}`));
  assert.match(fault(NOW, at(-YEAR_MS)) ?? '', new RegExp(`600000 ms .*was ${NOW - YEAR_MS}`));
  assert.equal(fault(NOW, at(SENT_BEFORE_MS_MAX)), undefined);
  assert.notEqual(fault(NOW, at(SENT_BEFORE_MS_MAX + 1)), undefined);
  assert.equal(fault(NOW, at(-SENT_AFTER_MS_MAX)), undefined);
  assert.notEqual(fault(NOW, at(-SENT_AFTER_MS_MAX - 1)), undefined);
});

test('an event sent far from the exchange’s time is none', () => {
  const all = [
    [EVENT_AHEAD_MS_MAX, true],
    [EVENT_AHEAD_MS_MAX + 1, false],
    [-EVENT_BEHIND_MS_MAX, true],
    [-EVENT_BEHIND_MS_MAX - 1, false],
  ] as const;
  for (const [ms, isTaken] of all) {
    const fault = createFrameTimes(() => NOW);
    assert.equal(fault(at(ms), at(ms)) === undefined, isTaken, String(ms));
  }
});

test('before the exchange’s time is known nothing is judged', () => {
  let now: EpochMs | undefined;
  const fault = createFrameTimes(() => now);
  assert.equal(fault(at(YEAR_MS), NOW), undefined);
  now = NOW;
  assert.notEqual(fault(at(YEAR_MS), at(YEAR_MS)), undefined);
});

test('frames that go on as before are right where the machine’s clock jumps', () => {
  let now = NOW;
  const fault = createFrameTimes(() => now);
  assert.equal(fault(NOW, NOW), undefined);
  now = at(3 * HOUR_MS);
  assert.equal(fault(at(100), at(100)), undefined);
});

test('some frames in a row that agree are believed, and one among them that does not is no reason', () => {
  const fault = createFrameTimes(() => NOW);
  const late = 2 * HOUR_MS;
  const faults = [late, late + 5, YEAR_MS, late + 9, late + 10, late + 11, late + 12].map((ms) =>
    fault(at(ms), at(ms)),
  );
  assert.deepEqual(
    faults.map((each) => each === undefined),
    [false, false, false, false, false, true, true],
  );
});

// The delay shown is the median of the last seconds.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DELAY_SAMPLES_MAX, DELAY_WINDOW_MS, delayMeter, delayText } from './delay-meter.ts';

it('is the median, so that one late frame does not show', () => {
  const meter = delayMeter();
  for (const delay of [20, 21, 22, 23, 900]) meter.add(1_000, delay);
  assert.equal(meter.median(1_000), 22);
});

it('forgets what is older than the window, and then knows nothing', () => {
  const meter = delayMeter();
  meter.add(1_000, 20);
  assert.equal(meter.median(1_000 + DELAY_WINDOW_MS), 20);
  assert.equal(meter.median(1_001 + DELAY_WINDOW_MS), undefined);
});

it('keeps the newest samples at its limit', () => {
  const meter = delayMeter();
  for (let count = 0; count <= DELAY_SAMPLES_MAX; count++) {
    meter.add(1_000, count < DELAY_SAMPLES_MAX / 2 ? 5 : 50);
  }
  assert.equal(meter.median(1_000), 50);
});

it('is written in a unit that fits, and below zero as zero', () => {
  assert.equal(delayText(undefined), '–');
  assert.equal(delayText(-4), '0 ms');
  assert.equal(delayText(41.6), '42 ms');
  assert.equal(delayText(1_340), '1.3 s');
  assert.equal(delayText(125_000), '2 min');
});

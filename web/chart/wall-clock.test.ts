// Marks and labels follow the reader's clock, its midnights and its daylight saving.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  axisZone,
  candleTimeText,
  clockText,
  countdownText,
  markText,
  markWeight,
  spanText,
  UTC,
  zoneName,
} from './wall-clock.ts';

const HOUR_MS = 3_600_000;
const at = (text: string) => Date.parse(text);
const east2 = () => 2 * HOUR_MS;
/** Berlin in autumn 2025: UTC+2 until 01:00 UTC on 26 October, then UTC+1. */
const berlin = (time: number) => (time < at('2025-10-26T01:00:00Z') ? 2 : 1) * HOUR_MS;

describe('markWeight', () => {
  it('marks the day at the reader’s midnight, not at that of UTC', () => {
    const [before, midnight] = [at('2025-03-11T21:59:00Z'), at('2025-03-11T22:00:00Z')];
    assert.equal(markWeight(before, midnight, east2), 50);
    assert.equal(markWeight(before, midnight, UTC), 30);
  });

  it('marks months and years where they begin', () => {
    assert.equal(markWeight(at('2025-02-28T23:00:00Z'), at('2025-03-01T00:00:00Z'), UTC), 60);
    assert.equal(markWeight(at('2025-03-31T23:00:00Z'), at('2025-04-01T00:00:00Z'), UTC), 62);
    assert.equal(markWeight(at('2025-06-30T23:00:00Z'), at('2025-07-01T00:00:00Z'), UTC), 64);
    assert.equal(markWeight(at('2025-12-31T23:00:00Z'), at('2026-01-01T00:00:00Z'), UTC), 70);
  });

  it('gives an ordinary minute the least weight a minute has', () => {
    assert.equal(markWeight(at('2025-03-11T10:01:00Z'), at('2025-03-11T10:02:00Z'), UTC), 20);
  });
});

describe('texts', () => {
  it('says years, months, days, times and seconds', () => {
    const time = at('2025-03-11T22:05:30Z');
    assert.equal(markText(time, 70, UTC), '2025');
    assert.equal(markText(time, 60, UTC), 'Mar');
    assert.equal(markText(time, 50, east2), '12');
    assert.equal(markText(time, 30, east2), '00:05');
    assert.equal(markText(time, 10, UTC), '22:05:30');
  });

  it('shows the clock of a day with a change of daylight saving as the wall does', () => {
    assert.equal(clockText(at('2025-10-26T00:30:00Z'), berlin), '02:30:00');
    assert.equal(clockText(at('2025-10-26T01:30:00Z'), berlin), '02:30:00');
  });

  it('shows candles of a day and more by their UTC date in every zone', () => {
    const west = () => -8 * HOUR_MS;
    assert.equal(candleTimeText(at('2025-03-11T00:00:00Z'), '1d', west), '11 Mar 2025');
    assert.equal(candleTimeText(at('2025-03-01T00:00:00Z'), '1M', west), 'Mar 2025');
    assert.equal(axisZone('3d', west), UTC);
    assert.equal(axisZone('12h', west), west);
  });

  it('shows seconds only for 1s candles', () => {
    const time = at('2025-03-11T10:05:07Z');
    assert.equal(candleTimeText(time, '1s', UTC), '11 Mar 2025, 10:05:07');
    assert.equal(candleTimeText(time, '1m', UTC), '11 Mar 2025, 10:05');
  });

  it('names zones by their offset', () => {
    assert.equal(zoneName(0), 'UTC');
    assert.equal(zoneName(5.5 * HOUR_MS), 'UTC+5:30');
    assert.equal(zoneName(-3 * HOUR_MS), 'UTC−3');
  });

  it('counts down to zero and not below', () => {
    assert.equal(countdownText(59_001), '01:00');
    assert.equal(countdownText(1), '00:01');
    assert.equal(countdownText(-5), '00:00');
    assert.equal(countdownText(2 * HOUR_MS + 61_000), '2:01:01');
    assert.equal(countdownText(51 * HOUR_MS), '2d 3h');
  });

  it('says spans in their two greatest units', () => {
    assert.equal(spanText(45_900), '45 s');
    assert.equal(spanText(35 * 60_000), '35 min');
    assert.equal(spanText(2 * HOUR_MS + 14 * 60_000), '2 h 14 min');
    assert.equal(spanText(48 * HOUR_MS), '2 d');
  });
});

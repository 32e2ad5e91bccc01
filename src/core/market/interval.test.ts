// Binance's calendar: every window of every interval begins where the last ended, and months, weeks and 3d open as the exchange opens them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../../test/property-seed.ts';
import fc from 'fast-check';
import { closeTimeOf, INTERVALS, nextOpenTime, openTimeOf } from './interval.ts';
import { epochMs } from './time.ts';

const calendar = { threeDayAnchor: epochMs(Date.UTC(2017, 7, 17)) };
const at = (...parts: [number, number, ...number[]]) => epochMs(Date.UTC(...parts));

test('every moment is in exactly one window of each interval', () => {
  const moment = fc.integer({ min: Date.UTC(2010, 0), max: Date.UTC(2100, 0) }).map(epochMs);
  fc.assert(
    fc.property(moment, fc.constantFrom(...INTERVALS), (time, interval) => {
      const openTime = openTimeOf(interval, time, calendar);
      const next = nextOpenTime(interval, openTime);
      assert.ok(openTime <= time && time < next);
      assert.equal(openTimeOf(interval, openTime, calendar), openTime);
      assert.equal(openTimeOf(interval, next, calendar), next);
      assert.equal(openTimeOf(interval, closeTimeOf(interval, openTime), calendar), openTime);
    }),
  );
});

test('months are the calendar’s, leap days included', () => {
  const moment = fc.integer({ min: Date.UTC(1970, 0), max: Date.UTC(2199, 0) });
  fc.assert(
    fc.property(moment, (time) => {
      const date = new Date(time);
      const month = Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
      const next = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
      assert.equal(openTimeOf('1M', epochMs(time), calendar), month);
      assert.equal(nextOpenTime('1M', epochMs(month)), next);
    }),
  );
  assert.equal(nextOpenTime('1M', at(2024, 1, 1)), at(2024, 2, 1));
});

test('weeks open on Mondays', () => {
  assert.equal(openTimeOf('1w', at(2025, 7, 3, 23, 59), calendar), at(2025, 6, 28));
  assert.equal(openTimeOf('1w', at(2025, 7, 4), calendar), at(2025, 7, 4));
});

test('3d windows follow the symbol’s anchor, before it too', () => {
  assert.equal(openTimeOf('3d', at(2017, 7, 19, 5), calendar), at(2017, 7, 17));
  assert.equal(openTimeOf('3d', at(2017, 7, 20), calendar), at(2017, 7, 20));
  assert.equal(openTimeOf('3d', at(2017, 7, 16), calendar), at(2017, 7, 14));
});

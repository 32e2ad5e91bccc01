// Missing windows become empty slots, as many as are missing up to a limit.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { candlePoints, GAP_SLOTS_MAX } from './candle-points.ts';
import { testMinutes, testRow } from './test-rows.ts';

const DAY_MS = 86_400_000;

describe('candlePoints', () => {
  it('has a point a row and no slot where no window is missing', () => {
    const { points, gaps } = candlePoints(testMinutes(0, 4), '1m');
    assert.deepEqual(
      points.map(({ seconds }) => seconds),
      [0, 60, 120, 180],
    );
    assert.deepEqual(gaps, []);
  });

  it('has an empty slot for each missing window', () => {
    const { points, gaps } = candlePoints([...testMinutes(0, 2), ...testMinutes(5, 6)], '1m');
    assert.deepEqual(
      points.map(({ seconds, row }) => [seconds, row !== undefined]),
      [
        [0, true],
        [60, true],
        [120, false],
        [180, false],
        [240, false],
        [300, true],
      ],
    );
    assert.deepEqual(gaps, [{ afterSeconds: 60, beforeSeconds: 300, durationMs: 180_000 }]);
  });

  it('draws a long gap no wider than the limit, and still says how long it is', () => {
    const { points, gaps } = candlePoints(
      [...testMinutes(0, 1), ...testMinutes(5_000, 5_001)],
      '1m',
    );
    assert.equal(points.length, 2 + GAP_SLOTS_MAX);
    assert.equal(gaps[0]?.durationMs, 4_999 * 60_000);
  });

  it('takes months of 28, 30 and 31 days for neighbours', () => {
    const starts = ['2023-01', '2023-02', '2023-03', '2023-04', '2023-05'];
    const rows = starts.map((month) => testRow({ openTime: Date.parse(`${month}-01T00:00:00Z`) }));
    assert.equal(candlePoints(rows, '1M').gaps.length, 0);
  });

  it('takes 3d candles of any anchor and weeks for neighbours', () => {
    const threeDays = [2, 5, 8].map((day) => testRow({ openTime: day * DAY_MS }));
    assert.equal(candlePoints(threeDays, '3d').gaps.length, 0);
    const weeks = [4, 11, 18].map((day) => testRow({ openTime: day * DAY_MS }));
    assert.equal(candlePoints(weeks, '1w').gaps.length, 0);
  });
});

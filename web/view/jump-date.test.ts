// Dates as the reader writes them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UTC, type ZoneOffset } from '../chart/wall-clock.ts';
import { momentOf, textsOf } from './jump-date.ts';

const HOUR = 3_600_000;
/** Two hours east until 2024-10-27T01:00Z, then one. */
const BERLIN: ZoneOffset = (time) => (time < Date.UTC(2024, 9, 27, 1) ? 2 : 1) * HOUR;

describe('momentOf', () => {
  it('reads a date with and without a time', () => {
    assert.equal(momentOf({ date: '2024-03-10', time: '' }, UTC), Date.UTC(2024, 2, 10));
    assert.equal(
      momentOf({ date: '2024-03-10', time: '14:05' }, UTC),
      Date.UTC(2024, 2, 10, 14, 5),
    );
  });

  it('reads local time on both sides of a change of the clock', () => {
    const at = (date: string, time: string) => momentOf({ date, time }, BERLIN);
    assert.equal(at('2024-10-26', '12:00'), Date.UTC(2024, 9, 26, 10));
    assert.equal(at('2024-10-27', '12:00'), Date.UTC(2024, 9, 27, 11));
  });

  it('writes what it reads', () => {
    for (const moment of [Date.UTC(2023, 0, 1), Date.UTC(2024, 9, 27, 11)]) {
      assert.equal(momentOf(textsOf(moment, BERLIN), BERLIN), moment);
    }
  });

  it('takes nothing that is no date', () => {
    for (const date of ['', '2024-02-31', '12024-01-01', 'today', '1969-01-01']) {
      assert.equal(momentOf({ date, time: '' }, UTC), undefined, date);
    }
  });
});

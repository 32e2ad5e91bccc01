// "1,440 of 1,440 verified today" counts each minute once, whatever order candles and verdicts come in.
import '../../test/property-seed.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { aCandle, anAudit, minute, NEW_YEAR } from '../stages/serve/testing/market-fixtures.ts';
import { DayTally } from './day-tally.ts';

const NONE = { verified: 0, repaired: 0, differs: 0, unverified: 0, fromKlines: 0 };

describe('DayTally', () => {
  it('counts a correction as not yet judged until the verdict on it has come', () => {
    const tally = new DayTally();
    tally.putCandle(aCandle(minute(0)));
    tally.putAudit(anAudit(minute(0)));
    assert.equal(tally.standing().audit?.verified, 1);
    tally.putCandle(aCandle(minute(0), { revision: 1 }));
    assert.equal(tally.standing().audit?.verified, 0);
    tally.putAudit(anAudit(minute(0), { revision: 1, verdict: 'repaired', reason: 'late' }));
    assert.deepEqual(tally.standing(), {
      audit: { ...NONE, day: NEW_YEAR, since: minute(0), closed: 1, repaired: 1 },
      exceptions: [{ openTime: minute(0), verdict: 'repaired', reason: 'late' }],
    });
  });

  it('leaves candles taken from klines out: they prove nothing', () => {
    const tally = new DayTally();
    tally.putCandle(aCandle(minute(0), { source: 'klines' }));
    tally.putAudit(anAudit(minute(0), { verdict: 'unverified' }));
    assert.deepEqual(tally.standing().audit, { ...NONE, day: NEW_YEAR, closed: 0, fromKlines: 1 });
  });

  it('begins anew with the first minute of another day, and keeps what was said of it before', () => {
    const tally = new DayTally();
    tally.putCandle(aCandle(minute(1_439)));
    tally.putAudit(anAudit(minute(1_439)));
    tally.putAudit(anAudit(minute(1_440)));
    tally.putCandle(aCandle(minute(1_440)));
    const { audit } = tally.standing();
    assert.equal(audit?.day, minute(1_440));
    assert.deepEqual([audit?.closed, audit?.verified], [1, 1]);
    assert.equal(tally.putCandle(aCandle(minute(1_438))), false);
  });

  it('stands the same in whatever order things come', () => {
    const happenings = [0, 1, 2, 3].flatMap((index) => [
      { candle: aCandle(minute(index)), audit: undefined },
      { candle: aCandle(minute(index), { revision: 1 }), audit: undefined },
      { candle: undefined, audit: anAudit(minute(index), { revision: index % 2 }) },
    ]);
    fc.assert(
      fc.property(fc.shuffledSubarray(happenings, { minLength: happenings.length }), (order) => {
        const tally = new DayTally();
        for (const { candle, audit } of order) {
          if (candle !== undefined) tally.putCandle(candle);
          else tally.putAudit(audit);
        }
        const { audit } = tally.standing();
        assert.deepEqual([audit?.closed, audit?.verified], [4, 2]);
      }),
    );
  });
});

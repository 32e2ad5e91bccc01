// A series of minutes in one pass: every longer candle, whole windows only, none over a hole.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { candleAt, DAY_START } from '../../../test/contracts/candle-store-contract.ts';
import { DEFAULT_CALENDAR, INTERVALS, type Interval } from '../market/interval.ts';
import { addMs, DAY_MS, HOUR_MS, MINUTE_MS } from '../market/time.ts';
import { historyRollUp } from './history-roll-up.ts';
import { rollUp } from './roll-up.ts';

const minutes = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => {
    const price = BigInt(100 + ((index * 7919) % 101));
    return candleAt(from + index, {
      ...{ open: price, high: price + 3n, low: price - 3n, close: price + 1n },
      ...{ firstTradeId: undefined, lastTradeId: undefined, source: 'klines' },
    });
  });

describe('historyRollUp', () => {
  it('gives every interval what rolling up alone gives it', () => {
    // 2026-01-01 is a Thursday: 40 days hold whole weeks, a whole month and 3d windows.
    const series = minutes(40 * 1_440);
    const all = historyRollUp(INTERVALS, DEFAULT_CALENDAR, DAY_START);
    const found = series.flatMap((minute) => all.add(minute));
    const days = [...rollUp(series, '1d', DEFAULT_CALENDAR)];
    for (const interval of ['3m', '1h', '12h', '1d'] as const) {
      assert.deepEqual(of(found, interval), [...rollUp(series, interval, DEFAULT_CALENDAR)]);
    }
    for (const interval of ['3d', '1w', '1M'] as const) {
      const expected = [...rollUp(days, interval, DEFAULT_CALENDAR)];
      assert.deepEqual(
        of(found, interval),
        expected.filter(({ openTime }) => openTime >= DAY_START),
      );
      assert.ok(expected.length > 0);
    }
  });

  it('leaves out windows that begin before what is known or end after it', () => {
    const start = addMs(DAY_START, 30 * MINUTE_MS);
    const all = historyRollUp(['1h', '1d'], DEFAULT_CALENDAR, start);
    const found = minutes(150, 30).flatMap((minute) => all.add(minute));
    assert.deepEqual(
      found.map(({ interval, openTime }) => [interval, openTime - DAY_START]),
      [
        ['1h', HOUR_MS],
        ['1h', 2 * HOUR_MS],
      ],
    );
  });

  it('keeps the windows of an outage, and gives up those over a hole', () => {
    const outage = minutes(180).filter((_, index) => index < 50 || index >= 130);
    const run = (isHole: boolean) => {
      const all = historyRollUp(['1h'], DEFAULT_CALENDAR, DAY_START);
      return outage.flatMap((minute, index) => {
        if (isHole && index === 50) all.knownFrom(minute.openTime);
        return all.add(minute);
      });
    };
    assert.equal(run(false).length, 2, 'an hour without any minute does not exist');
    assert.deepEqual(
      run(true).map(({ openTime }) => openTime - DAY_START),
      [],
      'the hours of minute 50 and of minute 130 lack parts',
    );
  });

  it('closes what ends where nothing more is known', () => {
    const all = historyRollUp(['1h', '1d'], DEFAULT_CALENDAR, DAY_START);
    const early = minutes(1_400).flatMap((minute) => all.add(minute));
    assert.equal(of(early, '1d').length, 0);
    assert.deepEqual(
      all.knownTo(addMs(DAY_START, DAY_MS)).map(({ interval }) => interval),
      ['1h', '1d'],
    );
  });
});

function of<T extends { readonly interval: Interval }>(candles: readonly T[], interval: Interval) {
  return candles.filter((candle) => candle.interval === interval);
}

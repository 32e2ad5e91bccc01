import '../../../test/property-seed.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type EpochMs, epochMs, MINUTE_MS } from '../../core/market/time.ts';
import { createWeightBudget, type Priority, WEIGHT_UNTIL_KNOWN } from './weight-budget.ts';

test('in no 60 seconds more is spent than the limit, whenever requests come', () => {
  const request = fc.record({
    pause: fc.nat(5_000),
    weight: fc.constantFrom(1, 2, 4, 20),
    priority: fc.constantFrom<Priority>('urgent', 'start', 'history'),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 200 }), (requests) => {
      const budget = createWeightBudget();
      budget.setLimit(100);
      const spent: { at: number; weight: number }[] = [];
      let now = 1_000_000;
      for (const { pause, weight, priority } of requests) {
        now += pause;
        for (let wait = 1; wait > 0; now += wait) {
          wait = budget.take(weight, priority, now as EpochMs);
          assert(wait < 2 * MINUTE_MS);
        }
        spent.push({ at: now, weight });
        const recent = spent.filter(({ at }) => at > now - MINUTE_MS);
        assert(recent.reduce((sum, one) => sum + one.weight, 0) <= 100);
      }
    }),
  );
});

test('what others at the same address spend counts', () => {
  const budget = createWeightBudget();
  budget.setLimit(1_000);
  budget.reported(900, epochMs(5_000));
  assert(budget.take(2, 'urgent', epochMs(5_001)) > 0);
  assert.equal(budget.take(2, 'urgent', epochMs(70_000)), 0);
});

test('what is urgent finds room where history does not', () => {
  const budget = createWeightBudget();
  budget.setLimit(100);
  assert.equal(budget.take(60, 'history', epochMs(0)), 0);
  assert(budget.take(2, 'history', epochMs(1)) > 0);
  assert.equal(budget.take(30, 'urgent', epochMs(2)), 0);
});

test('little is spent before the limit is known', () => {
  const budget = createWeightBudget();
  assert.equal(budget.take(WEIGHT_UNTIL_KNOWN, 'urgent', epochMs(0)), 0);
  assert(budget.take(1, 'urgent', epochMs(1)) > 0);
  budget.setLimit(6_000);
  assert.equal(budget.take(1, 'urgent', epochMs(2)), 0);
});

test('a clock set back by an hour keeps nobody waiting longer than a minute', () => {
  const budget = createWeightBudget();
  budget.setLimit(100);
  const hour = epochMs(3_600_000);
  assert.equal(budget.take(90, 'urgent', epochMs(2 * hour)), 0);
  const wait = budget.take(90, 'urgent', hour);
  assert(wait > 0 && wait <= 62_000, `${wait} ms`);
  assert.equal(budget.take(90, 'urgent', epochMs(hour + wait)), 0);
});

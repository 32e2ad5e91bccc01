// Merging of rows: every order of snapshots, updates and pages gives ascending rows, each once.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { CandleRow } from '../../src/protocol/browser.ts';
import { indexAtOrAfter, joinRows, rowAt, snapshotRows, updateRows } from './candle-rows.ts';
import { testMinutes, testRow } from './test-rows.ts';

const minutes = (rows: readonly CandleRow[]) => rows.map((row) => row[0] / 60_000);

describe('updateRows', () => {
  it('gives a new state of the last row to the tail', () => {
    const row = testRow({ openTime: 120_000, close: '101.00000000' });
    const change = updateRows(testMinutes(0, 3), [row]);
    assert.deepEqual(change.tail, [row]);
    assert.deepEqual(change.middle, []);
    assert.equal(change.rows.at(-1), row);
    assert.equal(change.rows.length, 3);
  });

  it('appends the next window after the closed state of the last', () => {
    const change = updateRows(testMinutes(0, 3), testMinutes(2, 4));
    assert.deepEqual(minutes(change.tail), [2, 3]);
    assert.deepEqual(minutes(change.rows), [0, 1, 2, 3]);
    assert.equal(change.isReshaped, false);
  });

  it('tells a correction of an earlier row from the tail', () => {
    const row = testRow({ openTime: 60_000, revision: 1 });
    const change = updateRows(testMinutes(0, 3), [row]);
    assert.deepEqual(change.middle, [row]);
    assert.deepEqual(change.tail, []);
    assert.equal(change.rows[1], row);
  });

  it('says that the points must be set anew when a row fills a gap', () => {
    const held = [...testMinutes(0, 2), ...testMinutes(3, 5)];
    const change = updateRows(held, testMinutes(2, 3));
    assert.equal(change.isReshaped, true);
    assert.deepEqual(minutes(change.rows), [0, 1, 2, 3, 4]);
  });

  it('leaves out rows before the first held: paging brings them without a hole', () => {
    const change = updateRows(testMinutes(5, 8), testMinutes(1, 2));
    assert.deepEqual(minutes(change.rows), [5, 6, 7]);
    assert.equal(change.isReshaped, false);
  });

  it('does not touch the rows it was given', () => {
    const held = testMinutes(0, 3);
    updateRows(held, testMinutes(2, 5));
    assert.deepEqual(minutes(held), [0, 1, 2]);
  });
});

describe('snapshotRows', () => {
  it('keeps older rows where the snapshot joins them', () => {
    assert.deepEqual(
      minutes(snapshotRows(testMinutes(0, 5), testMinutes(3, 8), '1m')),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    assert.deepEqual(
      minutes(snapshotRows(testMinutes(0, 3), testMinutes(3, 5), '1m')),
      [0, 1, 2, 3, 4],
    );
  });

  it('drops older rows where a hole would look like a gap of the exchange', () => {
    assert.deepEqual(minutes(snapshotRows(testMinutes(0, 3), testMinutes(5, 7), '1m')), [5, 6]);
  });

  it('is the truth where both have a row', () => {
    const fresh = testRow({ openTime: 120_000, close: '7.00000000' });
    assert.equal(snapshotRows(testMinutes(0, 3), [fresh], '1m').at(-1), fresh);
  });
});

describe('joinRows', () => {
  it('puts a page before what is held, each row once', () => {
    assert.deepEqual(minutes(joinRows(testMinutes(3, 6), testMinutes(0, 4))), [0, 1, 2, 3, 4, 5]);
  });

  it('puts a page after what is held, each row once', () => {
    assert.deepEqual(minutes(joinRows(testMinutes(0, 3), testMinutes(1, 6))), [0, 1, 2, 3, 4, 5]);
  });

  it('keeps the held row where the page has an older state of it', () => {
    const held = testRow({ openTime: 180_000, revision: 2 });
    assert.equal(joinRows([held], testMinutes(0, 5))[3], held);
  });
});

describe('rowAt', () => {
  it('finds a row by its open time, and none between two', () => {
    const rows = testMinutes(0, 9);
    assert.equal(rowAt(rows, 240_000), rows[4]);
    assert.equal(rowAt(rows, 250_000), undefined);
    assert.equal(rowAt([], 0), undefined);
  });
});

it('any updates in any order leave the rows ascending, each once, newest state last', () => {
  const update = fc.array(fc.tuple(fc.integer({ min: 10, max: 40 }), fc.nat(99)), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(update, { maxLength: 12 }), (updates) => {
      let rows: readonly CandleRow[] = testMinutes(10, 20);
      const newest = new Map<number, CandleRow>();
      for (const wishes of updates) {
        const incoming = [...new Map(wishes)]
          .sort(([one], [other]) => one - other)
          .map(([minute, revision]) => testRow({ openTime: minute * 60_000, revision }));
        for (const row of incoming) newest.set(row[0], row);
        rows = updateRows(rows, incoming).rows;
      }
      rows.forEach((row, at) => {
        assert.ok(at === 0 || (rows[at - 1]?.[0] ?? 0) < row[0], 'ascending, each once');
        assert.equal(indexAtOrAfter(rows, row[0]), at);
      });
      for (const row of newest.values()) assert.equal(rowAt(rows, row[0]), row);
    }),
  );
});

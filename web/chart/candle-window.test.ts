// The held stretch: at the live edge, far back, and the ways between.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CandleRow } from '../../src/protocol/browser.ts';
import { ROWS_HELD_MAX, ROWS_KEPT } from './candle-rows.ts';
import {
  backToLive,
  type CandleWindow,
  EMPTY_WINDOW,
  gapAt,
  jumpedTo,
  newestRow,
  trimmed,
  withNewerPage,
  withOlderPage,
  withoutBefore,
  withSnapshot,
  withUpdate,
} from './candle-window.ts';
import { testMinutes } from './test-rows.ts';

const span = (rows: readonly CandleRow[]) => [
  (rows[0]?.[0] ?? -1) / 60_000,
  (rows.at(-1)?.[0] ?? -1) / 60_000,
];
const page = (from: number, to: number, more = true) => ({ candles: testMinutes(from, to), more });
const live = (): CandleWindow => withSnapshot(EMPTY_WINDOW, page(900, 1_000), '1m');

describe('CandleWindow', () => {
  it('takes the first snapshot as it is', () => {
    assert.deepEqual(span(live().rows), [900, 999]);
    assert.equal(live().hasOlder, true);
  });

  it('keeps scrolled-back candles over a reconnection, and what is known of older ones', () => {
    const back = withOlderPage(live(), page(800, 900, false));
    const again = withSnapshot(back, page(905, 1_005), '1m');
    assert.deepEqual(span(again.rows), [800, 1_004]);
    assert.equal(again.hasOlder, false);
  });

  it('starts anew after so long away that a hole would open', () => {
    const again = withSnapshot(live(), page(1_500, 1_600), '1m');
    assert.deepEqual(span(again.rows), [1_500, 1_599]);
  });

  it('asks for no older page after an empty one, even if the server says there are more', () => {
    assert.equal(withOlderPage(live(), { candles: [], more: true }).hasOlder, false);
  });

  it('leaves the live edge for a link into the past, and still knows the newest candle', () => {
    const far = jumpedTo(live(), page(100, 200), '1m');
    assert.equal(far.isLive, false);
    assert.deepEqual(span(far.rows), [100, 199]);
    const { window, change } = withUpdate(far, testMinutes(999, 1_001));
    assert.deepEqual(span(window.rows), [100, 199]);
    assert.deepEqual([change.tail, change.middle], [[], []]);
    assert.equal(newestRow(window)?.[0], 1_000 * 60_000);
  });

  it('stays live where the link’s page reaches the newest candles', () => {
    const near = jumpedTo(live(), page(700, 950), '1m');
    assert.equal(near.isLive, true);
    assert.deepEqual(span(near.rows), [700, 999]);
  });

  it('is live again when pages forward meet the newest candles', () => {
    const far = jumpedTo(live(), page(700, 800), '1m');
    const nearer = withNewerPage(far, page(800, 850), '1m');
    assert.equal(nearer.isLive, false);
    const met = withNewerPage(nearer, page(850, 900), '1m');
    assert.equal(met.isLive, true);
    assert.deepEqual(span(met.rows), [700, 999]);
    assert.deepEqual(met.liveRows, []);
  });

  it('goes back to the newest candles at once', () => {
    const back = backToLive(jumpedTo(live(), page(100, 200), '1m'));
    assert.equal(back.isLive, true);
    assert.deepEqual(span(back.rows), [900, 999]);
    assert.equal(backToLive(back), back);
  });

  it('lets the newest go when scrolled back past the limit, and keeps them for the way back', () => {
    const full = withSnapshot(EMPTY_WINDOW, page(10_000, 10_000 + ROWS_HELD_MAX), '1m');
    const back = trimmed(withOlderPage(full, page(9_000, 10_000)), 500);
    assert.deepEqual(span(back.rows), [9_000, 9_000 + ROWS_KEPT - 1]);
    assert.equal(back.isLive, false);
    assert.equal(newestRow(back)?.[0], (10_000 + ROWS_HELD_MAX - 1) * 60_000);
  });

  it('lets the oldest go when the live edge grows past the limit and the reader is there', () => {
    const full = withSnapshot(EMPTY_WINDOW, page(0, ROWS_HELD_MAX, false), '1m');
    const { window } = withUpdate(full, testMinutes(ROWS_HELD_MAX, ROWS_HELD_MAX + 1));
    const less = trimmed(window, window.rows.length - 100);
    assert.equal(less.rows.length, ROWS_KEPT);
    assert.equal(less.isLive, true);
    assert.equal(less.hasOlder, true, 'what was let go can be fetched again');
    assert.equal(trimmed(less, 0), less, 'within the limit nothing goes');
  });

  it('keeps what the reader looks at, also in the middle of what is held', () => {
    const full = withSnapshot(EMPTY_WINDOW, page(0, ROWS_HELD_MAX + 10), '1m');
    const less = trimmed(full, ROWS_HELD_MAX / 2);
    const [from = 0, to = 0] = span(less.rows);
    assert.ok(from > 0 && to < ROWS_HELD_MAX, `${from} to ${to}`);
    assert.ok(from < ROWS_HELD_MAX / 2 && to > ROWS_HELD_MAX / 2);
  });

  it('is whole again when a gap it held was filled: what is before its end is taken anew', () => {
    const rows = [...testMinutes(800, 900), ...testMinutes(950, 1_000)];
    const gappy = withSnapshot(EMPTY_WINDOW, { candles: rows, more: true }, '1m');
    assert.equal(jumpedTo(gappy, page(700, 1_000), '1m').rows.length, 250, 'what is held counts');
    const filled = jumpedTo(withoutBefore(gappy, 950 * 60_000), page(700, 1_000), '1m');
    assert.deepEqual(span(filled.rows), [700, 999]);
    assert.equal(filled.rows.length, 300);
    assert.equal(filled.isLive, true);
  });

  it('knows the gap around a moment that has no candle', () => {
    const minute = (index: number) => index * 60_000;
    const rows = [...testMinutes(800, 900), ...testMinutes(950, 1_000)];
    const gappy = withSnapshot(EMPTY_WINDOW, { candles: rows, more: false }, '1m');
    assert.deepEqual(gapAt(gappy, '1m', minute(920)), { from: minute(900), to: minute(950) });
    assert.deepEqual(gapAt(gappy, '1m', minute(700)), { from: 0, to: minute(800) });
    assert.equal(gapAt(gappy, '1m', minute(899)), undefined);
    assert.equal(gapAt(gappy, '1m', minute(2_000)), undefined, 'that is to come');
    assert.equal(gapAt({ ...gappy, hasOlder: true }, '1m', minute(700)), undefined);
    const far = { ...gappy, rows: testMinutes(800, 900), isLive: false };
    assert.deepEqual(gapAt(far, '1m', minute(920)), { from: minute(900), to: undefined });
    // A 3d window of another grid than the one asked by.
    assert.equal(gapAt(gappy, '3d', minute(999) + 1), undefined);
  });
});

// The candles a view holds: merging snapshots, updates and older pages. Pure; rows ascend by openTime, each once.
import { type Interval, nextOpenTime } from '../../src/core/market/interval.ts';
import { epochMs } from '../../src/core/market/time.ts';
import type { CandleRow } from '../../src/protocol/browser.ts';

/** Rows kept; beyond it the far end from the reader is let go. Two screens of the widest monitor: each page that comes sets all points anew. */
export const ROWS_HELD_MAX = 8_000;
/** Left of them then. */
export const ROWS_KEPT = 6_000;

/**
 * What an update did to the rows, so that the chart does no more than needed:
 * `tail` are the last row's new state and rows after it, `middle` new states of earlier rows;
 * `reshaped`: a row came in between (a gap was filled), the points must be set anew.
 */
export interface RowsChange {
  readonly rows: readonly CandleRow[];
  readonly tail: readonly CandleRow[];
  readonly middle: readonly CandleRow[];
  readonly isReshaped: boolean;
}

/** Applies an update (ascending). Rows before the first held are left out: paging brings them. */
export function updateRows(held: readonly CandleRow[], incoming: readonly CandleRow[]): RowsChange {
  const rows = held.slice();
  const tail: CandleRow[] = [];
  const middle: CandleRow[] = [];
  let isReshaped = false;
  const lastBefore = held.at(-1)?.[0] ?? -1;
  for (const row of incoming) {
    const at = indexAtOrAfter(rows, row[0]);
    const isKnown = rows[at]?.[0] === row[0];
    if (at === 0 && !isKnown && rows.length > 0) continue;
    rows.splice(at, isKnown ? 1 : 0, row);
    if (row[0] >= lastBefore) tail.push(row);
    else if (isKnown) middle.push(row);
    else isReshaped = true;
  }
  return { rows, tail, middle, isReshaped };
}

/**
 * A fresh snapshot over what is held: the snapshot is the truth where both have a row. Where a hole
 * would open between them (a long time away), only the snapshot is kept: a hole would look like a gap.
 */
export function snapshotRows(
  held: readonly CandleRow[],
  snapshot: readonly CandleRow[],
  interval: Interval,
): readonly CandleRow[] {
  const first = snapshot[0];
  const last = held.at(-1);
  if (first === undefined || last === undefined || !reaches(last, first[0], interval)) {
    return snapshot;
  }
  return [...held.slice(0, indexAtOrAfter(held, first[0])), ...snapshot];
}

/** An older or newer page joined to what is held; where both have a row, the held one stays (updates keep it new). */
export function joinRows(
  held: readonly CandleRow[],
  page: readonly CandleRow[],
): readonly CandleRow[] {
  const first = held[0];
  const last = held.at(-1);
  if (first === undefined || last === undefined) return page;
  const older = page.slice(0, indexAtOrAfter(page, first[0]));
  const newer = page.slice(indexAtOrAfter(page, last[0] + 1));
  return [...older, ...held, ...newer];
}

/** Whether no window is missing between `row` and one that opens at `openTime`. */
export function reaches(row: CandleRow, openTime: number, interval: Interval): boolean {
  return openTime <= nextOpenTime(interval, epochMs(row[0]));
}

/** Index of the first row that opens at or after `openTime`; the length where none does. */
export function indexAtOrAfter(rows: readonly CandleRow[], openTime: number): number {
  let low = 0;
  let high = rows.length;
  const last = rows.at(-1);
  if (last !== undefined && last[0] < openTime) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.[0] ?? 0) < openTime) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The row that opens exactly at `openTime`. */
export function rowAt(rows: readonly CandleRow[], openTime: number): CandleRow | undefined {
  const row = rows[indexAtOrAfter(rows, openTime)];
  return row?.[0] === openTime ? row : undefined;
}

// Which stretch of a symbol's candles is held: up to the live edge, or, far back, apart from it. Pure.
import { type Interval, nextOpenTime } from '../../src/core/market/interval.ts';
import { epochMs } from '../../src/core/market/time.ts';
import {
  type CandlePage,
  type CandleRow,
  SNAPSHOT_CANDLES_MAX,
} from '../../src/protocol/browser.ts';
import {
  indexAtOrAfter,
  joinRows,
  ROWS_HELD_MAX,
  ROWS_KEPT,
  type RowsChange,
  snapshotRows,
  updateRows,
} from './candle-rows.ts';

export interface CandleWindow {
  /** What the chart shows, ascending. */
  readonly rows: readonly CandleRow[];
  /** Whether `rows` ends at the live edge. */
  readonly isLive: boolean;
  /** While it does not: the newest candles, kept up to date for the way back. */
  readonly liveRows: readonly CandleRow[];
  /** The store holds candles before the first row. */
  readonly hasOlder: boolean;
}

export const EMPTY_WINDOW: CandleWindow = { rows: [], isLive: true, liveRows: [], hasOlder: false };

/** The newest candle the page knows of, in view or not. */
export function newestRow(window: CandleWindow): CandleRow | undefined {
  return (window.isLive ? window.rows : window.liveRows).at(-1);
}

export function withSnapshot(
  window: CandleWindow,
  snapshot: CandlePage,
  interval: Interval,
): CandleWindow {
  if (!window.isLive) return { ...window, liveRows: snapshot.candles };
  const rows = snapshotRows(window.rows, snapshot.candles, interval);
  return { ...window, rows, hasOlder: rows === snapshot.candles ? snapshot.more : window.hasOlder };
}

/** Applies an update. `change` says what the chart must draw; far back only corrections of what is in view. */
export function withUpdate(
  window: CandleWindow,
  candles: readonly CandleRow[],
): { readonly window: CandleWindow; readonly change: RowsChange } {
  if (window.isLive) {
    const change = updateRows(window.rows, candles);
    return { window: { ...window, rows: change.rows }, change };
  }
  const last = window.rows.at(-1)?.[0] ?? 0;
  const change = updateRows(
    window.rows,
    candles.filter((row) => row[0] <= last),
  );
  const liveRows = updateRows(window.liveRows, candles).rows.slice(-SNAPSHOT_CANDLES_MAX);
  return { window: { ...window, rows: change.rows, liveRows }, change };
}

/** Joins the page before the first row. */
export function withOlderPage(window: CandleWindow, page: CandlePage): CandleWindow {
  const rows = joinRows(window.rows, page.candles);
  return { ...window, rows, hasOlder: page.more && page.candles.length > 0 };
}

/** Joins a page after the last row; where it meets the newest candles, the window is live again. */
export function withNewerPage(
  window: CandleWindow,
  page: CandlePage,
  interval: Interval,
): CandleWindow {
  const joined = { ...window, rows: joinRows(window.rows, page.candles) };
  return meetsLive(joined, interval);
}

/**
 * Of more than `ROWS_HELD_MAX` rows the `ROWS_KEPT` around the index `middle`; the newest ones let go take the live edge with them.
 * Apart from the joining: candles that go at an edge move a view that is being dragged.
 */
export function trimmed(window: CandleWindow, middle: number): CandleWindow {
  const { rows } = window;
  if (rows.length <= ROWS_HELD_MAX) return window;
  const start = Math.max(0, Math.min(rows.length - ROWS_KEPT, Math.round(middle - ROWS_KEPT / 2)));
  const isLive = window.isLive && start + ROWS_KEPT >= rows.length;
  return {
    rows: rows.slice(start, start + ROWS_KEPT),
    isLive,
    liveRows: window.isLive && !isLive ? rows.slice(-SNAPSHOT_CANDLES_MAX) : window.liveRows,
    hasOlder: window.hasOlder || start > 0,
  };
}

/** Leaves what is held for a page elsewhere (a date, a link into the past). An empty page changes nothing. */
export function jumpedTo(window: CandleWindow, page: CandlePage, interval: Interval): CandleWindow {
  if (page.candles.length === 0) return window;
  const liveRows = window.isLive ? window.rows : window.liveRows;
  return meetsLive({ rows: page.candles, isLive: false, liveRows, hasOlder: page.more }, interval);
}

/** Without what opens before `openTime`, which is to be fetched anew. */
export function withoutBefore(window: CandleWindow, openTime: number): CandleWindow {
  const isKept = (row: CandleRow) => row[0] >= openTime;
  return { ...window, rows: window.rows.filter(isKept), liveRows: window.liveRows.filter(isKept) };
}

/** Back to the newest candles. */
export function backToLive(window: CandleWindow): CandleWindow {
  if (window.isLive) return window;
  return { rows: window.liveRows, isLive: true, liveRows: [], hasOlder: true };
}

/** Between the candles around a moment that has none, `to` undefined while the one behind it is not held; undefined where there is one, or none is newer. */
export function gapAt(
  { rows, isLive, hasOlder }: CandleWindow,
  interval: Interval,
  openTime: number,
): { readonly from: number; readonly to: number | undefined } | undefined {
  const at = indexAtOrAfter(rows, openTime);
  const [before, after] = [rows[at - 1], rows[at]];
  if (after?.[0] === openTime || (after === undefined && isLive)) return undefined;
  if (before === undefined) return hasOlder ? undefined : { from: 0, to: after?.[0] };
  const from = nextOpenTime(interval, epochMs(before[0]));
  return from > openTime ? undefined : { from, to: after?.[0] };
}

function meetsLive(window: CandleWindow, interval: Interval): CandleWindow {
  const rows = snapshotRows(window.rows, window.liveRows, interval);
  if (rows === window.liveRows) return window;
  return { ...window, rows, isLive: true, liveRows: [] };
}

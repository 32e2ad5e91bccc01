// The candles of the symbol and interval in view: from the server's messages and pages to the chart. Knows no socket.
import { type Interval, nextOpenTime } from '../../src/core/market/interval.ts';
import { epochMs } from '../../src/core/market/time.ts';
import type { CandlePage, CandleRow } from '../../src/protocol/browser.ts';
import type { CandleChart, VisibleRange } from '../chart/candle-chart.ts';
import { indexAtOrAfter, ROWS_HELD_MAX, ROWS_KEPT, rowAt } from '../chart/candle-rows.ts';
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
} from '../chart/candle-window.ts';
import type { ViewRange } from '../view/url-state.ts';
import type { PageEdge } from './fetch-page.ts';

/** Candles asked for in a page. */
export const PAGE_CANDLES = 1_000;
/** Slots left at an edge at which the next page is fetched, and a screen more: the reader does not wait for it. */
export const PAGE_MARGIN_SLOTS = 250;
/** How often it is looked whether rows beyond the limit can go. */
const TRIM_MS = 250;
/** Rest after a page that failed. */
export const PAGE_RETRY_MS = 3_000;
/** Slots to the right of a range jumped to that are fetched with it. */
const JUMP_MARGIN_SLOTS = 300;

export interface CandleViewOptions {
  readonly now: () => number;
  readonly fetchPage: (
    request: PageEdge & { readonly limit: number },
    signal: AbortSignal,
  ) => Promise<CandlePage>;
  readonly onLoading: (isLoading: boolean) => void;
  readonly onFault: (fault: string) => void;
}

export interface CandleView {
  /** Another symbol or interval, or another source: forgets all candles. `range`: where to look when they come. */
  reset(interval: Interval, range: ViewRange | undefined): void;
  snapshot(page: CandlePage): void;
  update(candles: readonly CandleRow[]): void;
  /** Looks at a range, fetching it where it is far back, and answers the candle that opens at `openTime` in it. */
  lookAt(range: ViewRange, openTime: number): Promise<CandleRow | undefined>;
  /** The server has more candles before `openTime` than it had: looks at a range, fetching it anew. */
  refetch(range: ViewRange, openTime: number): Promise<void>;
  /** Between the candles around a moment that has none; undefined where there is one, or the moment is to come. */
  gapAt(openTime: number): { readonly from: number; readonly to: number | undefined } | undefined;
  /** The reader moved: fetches what is next. */
  looked(range: VisibleRange): void;
  lookAtLive(): void;
  newest(): CandleRow | undefined;
  row(openTime: number): CandleRow | undefined;
  isEmpty(): boolean;
  /** How many rows, the oldest one's open time, and whether the server has older ones. */
  held(): {
    readonly rows: number;
    readonly oldest: number | undefined;
    readonly hasOlder: boolean;
  };
  /** Whether the newest candle is among those held. */
  isLive(): boolean;
  /** The held candle `steps` after the one that opens at `openTime` (negative: before); of none, or past the ends, the nearest. */
  neighbour(openTime: number | undefined, steps: number): CandleRow | undefined;
  attach(chart: CandleChart): void;
  close(): void;
}

export function candleView(options: CandleViewOptions): CandleView {
  let chart: CandleChart | undefined;
  let interval: Interval = '1m';
  let held: CandleWindow = EMPTY_WINDOW;
  let wanted: ViewRange | undefined;
  let isNew = true;
  let isFetching = false;
  let retryAt = 0;
  let trimming: ReturnType<typeof setTimeout> | undefined;
  /** Open time in the middle of the view; the newest until it is known. */
  let middle = Number.POSITIVE_INFINITY;
  let aborting = new AbortController();

  function show(next: CandleWindow): void {
    held = next;
    chart?.setRows(held.rows, interval, isNew);
    isNew = false;
    showNewest();
  }

  function showNewest(): void {
    chart?.setNewest(newestRow(held), held.isLive);
  }

  async function fetchPage(
    edge: PageEdge,
    take: (window: CandleWindow, page: CandlePage) => CandleWindow,
  ): Promise<void> {
    if (isFetching || options.now() < retryAt) return;
    const { signal } = aborting;
    isFetching = true;
    options.onLoading(true);
    try {
      const page = await options.fetchPage({ ...edge, limit: PAGE_CANDLES }, signal);
      if (signal.aborted) return;
      show(take(held, page));
      trimSoon();
    } catch (error) {
      if (signal.aborted) return;
      retryAt = options.now() + PAGE_RETRY_MS;
      options.onFault(`Candles could not be loaded: ${faultText(error)}.`);
    } finally {
      if (!signal.aborted) {
        isFetching = false;
        options.onLoading(false);
      }
    }
  }

  /** Once the reader's hand rests: rows that go at an edge would move a chart that is being dragged. */
  function trimSoon(): void {
    if (trimming !== undefined || held.rows.length <= ROWS_HELD_MAX) return;
    trimming = setTimeout(() => {
      trimming = undefined;
      if (chart?.isMoving() === true) return trimSoon();
      const next = trimmed(held, indexAtOrAfter(held.rows, middle));
      if (next !== held) show(next);
    }, TRIM_MS);
  }

  /** What is under way is of no use any more: the reader goes elsewhere. */
  function stopFetching(): void {
    aborting.abort();
    aborting = new AbortController();
    isFetching = false;
    retryAt = 0;
    options.onLoading(false);
  }

  /** Looks where the reader wants to, once there are candles; fetches them where they are not held. */
  async function lookAtWanted(): Promise<void> {
    const range = wanted;
    if (range === undefined || held.rows.length === 0) return;
    if (!holds(held, range)) await jump(range);
    if (wanted !== range) return; // meanwhile the reader wished to be elsewhere
    wanted = undefined;
    chart?.lookAt(range);
  }

  /** `newerThan`: what is held before it is not used. */
  async function jump(range: ViewRange, newerThan = 0): Promise<void> {
    stopFetching();
    let isNone = false;
    const jumped = (window: CandleWindow, page: CandlePage) => {
      isNone = page.candles.length === 0;
      return isNone ? window : jumpedTo(withoutBefore(window, newerThan), page, interval);
    };
    await fetchPage({ before: after(interval, range.to, JUMP_MARGIN_SLOTS) }, jumped);
    // Nothing is that old: the oldest there are.
    if (isNone) {
      await fetchPage({ after: Math.max(0, range.from - 1) }, (window, page) => ({
        ...jumped(window, page),
        hasOlder: false,
      }));
    }
  }

  return {
    reset(nextInterval, range) {
      stopFetching();
      interval = nextInterval;
      wanted = range;
      isNew = true;
      middle = Number.POSITIVE_INFINITY;
      held = EMPTY_WINDOW;
    },
    snapshot(page) {
      show(withSnapshot(held, page, interval));
      // A fault is told by fetchPage; nothing is left to wait for.
      void lookAtWanted();
    },
    update(candles) {
      const before = held.rows;
      const step = withUpdate(held, candles);
      held = step.window;
      chart?.applyChange(before, step.change);
      trimSoon();
      showNewest();
    },
    async lookAt(range, openTime) {
      wanted = range;
      await lookAtWanted();
      return rowAt(held.rows, openTime);
    },
    async refetch(range, openTime) {
      wanted = range;
      await jump(range, openTime);
      if (wanted !== range) return;
      wanted = undefined;
      chart?.lookAt(range);
    },
    gapAt: (openTime) => gapAt(held, interval, openTime),
    looked(range) {
      const first = held.rows[0];
      const last = held.rows.at(-1);
      if (wanted !== undefined || first === undefined || last === undefined) return;
      middle = (range.from + range.to) / 2;
      // Never more than is left when rows are let go, or they would be fetched again.
      const margin = Math.min(PAGE_MARGIN_SLOTS + range.slots, (ROWS_KEPT - range.slots) / 2 - 1);
      // A page's fault is told by fetchPage; nothing waits for the page here.
      if (range.slotsBefore < margin && held.hasOlder) {
        void fetchPage({ before: first[0] }, withOlderPage);
      } else if (range.slotsAfter < margin && !held.isLive) {
        const newer = (window: CandleWindow, page: CandlePage) =>
          withNewerPage(window, page, interval);
        void fetchPage({ after: last[0] }, newer);
      }
    },
    lookAtLive() {
      wanted = undefined;
      if (!held.isLive) show(backToLive(held));
      chart?.lookAtLive();
    },
    newest: () => newestRow(held),
    row: (openTime) => rowAt(held.rows, openTime),
    neighbour(openTime, steps) {
      const from =
        openTime === undefined ? held.rows.length - 1 : indexAtOrAfter(held.rows, openTime);
      const at = Math.max(0, Math.min(held.rows.length - 1, from + steps));
      return held.rows[at];
    },
    held: () => ({ rows: held.rows.length, oldest: held.rows[0]?.[0], hasOlder: held.hasOlder }),
    isEmpty: () => held.rows.length === 0,
    isLive: () => held.isLive,
    attach(next) {
      chart = next;
      if (held.rows.length > 0) show(held);
    },
    close() {
      aborting.abort();
      clearTimeout(trimming);
    },
  };
}

/** Whether the range lies within the rows, as far as there are any. */
function holds({ rows, hasOlder, isLive }: CandleWindow, { from, to }: ViewRange): boolean {
  const first = rows[0]?.[0] ?? 0;
  const last = rows.at(-1)?.[0] ?? 0;
  return (from >= first || !hasOlder) && (to <= last || isLive);
}

/** The open time `windows` windows after `openTime`. */
function after(interval: Interval, openTime: number, windows: number): number {
  let time = epochMs(openTime);
  for (let count = 0; count < windows; count++) time = nextOpenTime(interval, time);
  return time;
}

function faultText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

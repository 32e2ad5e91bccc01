// The candles of the symbol and interval in view: from the server's messages and pages to the chart. Knows no socket.
import { type Interval, nextOpenTime } from '../../src/core/market/interval.ts';
import { epochMs } from '../../src/core/market/time.ts';
import type { CandlePage, CandleRow } from '../../src/protocol/browser.ts';
import type { CandleChart, VisibleRange } from '../chart/candle-chart.ts';
import { indexAtOrAfter, rowAt } from '../chart/candle-rows.ts';
import {
  backToLive,
  type CandleWindow,
  EMPTY_WINDOW,
  jumpedTo,
  newestRow,
  withNewerPage,
  withOlderPage,
  withSnapshot,
  withUpdate,
} from '../chart/candle-window.ts';
import type { ViewRange } from '../view/url-state.ts';

/** Candles asked for in a page. */
export const PAGE_CANDLES = 1_000;
/** Slots left at an edge at which the next page is fetched. */
export const PAGE_MARGIN_SLOTS = 250;
/** Rest after a page that failed. */
export const PAGE_RETRY_MS = 3_000;
/** Slots to the right of a linked range that are fetched with it. */
const JUMP_MARGIN_SLOTS = 300;

export interface CandleViewOptions {
  readonly now: () => number;
  readonly fetchPage: (
    request: { readonly before: number; readonly limit: number },
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
  /** The reader moved: fetches what is next. */
  looked(range: VisibleRange): void;
  lookAtLive(): void;
  newest(): CandleRow | undefined;
  row(openTime: number): CandleRow | undefined;
  isEmpty(): boolean;
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
  let aborting = new AbortController();

  function show(next: CandleWindow): void {
    held = next;
    chart?.setHasOlder(held.hasOlder);
    chart?.setRows(held.rows, interval, isNew);
    isNew = false;
    showNewest();
  }

  function showNewest(): void {
    chart?.setNewest(newestRow(held), held.isLive);
  }

  async function fetchPage(
    before: number,
    take: (window: CandleWindow, page: CandlePage) => CandleWindow,
  ): Promise<void> {
    if (isFetching || options.now() < retryAt) return;
    const { signal } = aborting;
    isFetching = true;
    options.onLoading(true);
    try {
      const page = await options.fetchPage({ before, limit: PAGE_CANDLES }, signal);
      if (!signal.aborted) show(take(held, page));
    } catch (error) {
      if (signal.aborted) return;
      retryAt = options.now() + PAGE_RETRY_MS;
      options.onFault(`Older candles could not be loaded: ${faultText(error)}.`);
    } finally {
      if (!signal.aborted) {
        isFetching = false;
        options.onLoading(false);
      }
    }
  }

  /** Looks where the link points, once there are candles; fetches them where the snapshot begins later. */
  async function lookAtWanted(): Promise<void> {
    const range = wanted;
    const first = held.rows[0];
    wanted = undefined;
    if (range === undefined || first === undefined) return;
    if (range.from < first[0] && held.hasOlder) {
      const before = after(interval, range.to, JUMP_MARGIN_SLOTS);
      await fetchPage(Math.min(before, first[0]), (window, page) =>
        jumpedTo(window, page, interval),
      );
    }
    chart?.lookAt(range);
  }

  return {
    reset(nextInterval, range) {
      aborting.abort();
      aborting = new AbortController();
      isFetching = false;
      options.onLoading(false);
      interval = nextInterval;
      wanted = range;
      isNew = true;
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
      if (step.isTrimmed) chart?.setRows(held.rows, interval, false);
      else chart?.applyChange(before, step.change);
      showNewest();
    },
    async lookAt(range, openTime) {
      wanted = range;
      await lookAtWanted();
      return rowAt(held.rows, openTime);
    },
    looked(range) {
      const first = held.rows[0];
      const last = held.rows.at(-1);
      if (wanted !== undefined || first === undefined || last === undefined) return;
      // A page's fault is told by fetchPage; nothing waits for the page here.
      if (range.slotsBefore < PAGE_MARGIN_SLOTS && held.hasOlder) {
        void fetchPage(first[0], withOlderPage);
      } else if (range.slotsAfter < PAGE_MARGIN_SLOTS && !held.isLive) {
        const before = after(interval, last[0], PAGE_CANDLES);
        void fetchPage(before, (window, page) => withNewerPage(window, page, interval));
      }
    },
    lookAtLive() {
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
    isEmpty: () => held.rows.length === 0,
    isLive: () => held.isLive,
    attach(next) {
      chart = next;
      if (held.rows.length > 0) show(held);
    },
    close: () => aborting.abort(),
  };
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

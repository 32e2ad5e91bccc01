// The past → the store: finds what is missing by itself, fetches it, writes it; the market's own klines, never over a candle that is there. What is done stays done: run again, it goes on.
import {
  DEFAULT_CALENDAR,
  INTERVAL_MS,
  type Interval,
  nextOpenTime,
  openTimeOf,
} from '../core/market/interval.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import { addMs, type Clock, type DurationMs, type EpochMs } from '../core/market/time.ts';
import type { KlinePages } from '../feed/kline-history.ts';
import { BACKFILL_LAG_MS } from '../protocol/backfill.ts';
import type { CandleStore, Hole } from '../store/candle-store.ts';
import { type Refused, writeUntilDone } from './write-candles.ts';

/** Holes asked for and filled at once, of a symbol's interval; then the next ones. */
export const HOLES_MAX = 1_000;

/** Series filled at once: enough to keep the exchange's answers coming. */
const SERIES_AT_ONCE = 4;

export interface BackfillProgress {
  /** Written. */
  readonly candles: number;
  /** Windows looked for so far, and in all; some of them the market itself never had. */
  readonly windows: number;
  readonly windowsTotal: number;
}

export interface BackfillOptions {
  readonly history: KlinePages;
  readonly store: CandleStore;
  readonly symbols: readonly MarketSymbol[];
  readonly intervals: readonly Interval[];
  readonly from: EpochMs;
  /** Exclusive; what is younger than `BACKFILL_LAG_MS` is left out. */
  readonly to: EpochMs;
  /** 1s candles older than this would be removed again: they are not fetched. */
  readonly keepSecondsMs: DurationMs;
  readonly clock: Clock;
  readonly onProgress: (progress: BackfillProgress) => void;
  /** At each failed write, before it is tried again. */
  readonly onFailure: (error: unknown, retryMs: DurationMs) => void;
  readonly onRefused: (refused: readonly Refused[]) => void;
  readonly signal: AbortSignal;
}

interface Series {
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** Ends quietly when `signal` aborts. @throws FeedError; whatever reading the store throws. */
export async function backfill(options: BackfillOptions): Promise<BackfillProgress> {
  const { history, store, clock, onProgress, onFailure, onRefused, signal } = options;
  const now = await history.start(options.symbols, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  if (now === undefined) return { candles: 0, windows: 0, windowsTotal: 0 };
  const series = seriesOf(options, now);
  let candles = 0;
  let windows = 0;
  let windowsTotal = 0;
  for (const one of series) windowsTotal += await missingWindows(store, one);
  const told = (): BackfillProgress => ({
    candles,
    windows: Math.round(windows),
    windowsTotal: Math.round(windowsTotal),
  });
  onProgress(told());

  async function fill(one: Series): Promise<void> {
    for (let from = one.from; from < one.to && !signal.aborted; ) {
      const holes = await store.holes({ ...one, from, limit: HOLES_MAX });
      for (const hole of holes) {
        await fillHole(one, hole);
        if (signal.aborted) return;
      }
      const last = holes.at(-1);
      if (last === undefined || holes.length < HOLES_MAX) return;
      from = last.to;
    }
  }

  async function fillHole(one: Series, hole: Hole): Promise<void> {
    let reached = hole.from;
    for await (const page of history.candles({ ...one, ...hole }, signal)) {
      const refused = await writeUntilDone({ store, candles: page, clock, onFailure, signal });
      if (refused === undefined) return;
      if (refused.length > 0) onRefused(refused);
      candles += page.length - refused.length;
      const end = addMs(page.at(-1)?.closeTime ?? reached, 1);
      const next = end < hole.to ? end : hole.to;
      windows += windowsOf(one.interval, reached, next);
      reached = next;
      onProgress(told());
    }
    windows += windowsOf(one.interval, reached, hole.to);
    onProgress(told());
  }

  const queue = series.values();
  const worker = async (): Promise<void> => {
    for (const one of queue) {
      if (signal.aborted) return;
      await fill(one);
    }
  };
  try {
    await Promise.all(Array.from({ length: SERIES_AT_ONCE }, worker));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return told();
}

/** Longest intervals first: soon there is something to see. */
function seriesOf(options: BackfillOptions, now: EpochMs): readonly Series[] {
  const { symbols, intervals, keepSecondsMs } = options;
  return intervals.toReversed().flatMap((interval) => {
    const oldest = interval === '1s' ? Math.max(options.from, now - keepSecondsMs) : options.from;
    const from = firstWindow(interval, oldest as EpochMs);
    const to = Math.min(options.to, windowStart(interval, addMs(now, -BACKFILL_LAG_MS))) as EpochMs;
    return from >= to ? [] : symbols.map((symbol) => ({ symbol, interval, from, to }));
  });
}

/** The first window that opens at `time` or later. */
function firstWindow(interval: Interval, time: EpochMs): EpochMs {
  const start = windowStart(interval, time);
  return start === time ? time : nextOpenTime(interval === '3d' ? '1d' : interval, start);
}

/** Each symbol has a 3d grid of its own: a day may open a window of it. */
function windowStart(interval: Interval, time: EpochMs): EpochMs {
  return openTimeOf(interval === '3d' ? '1d' : interval, time, DEFAULT_CALENDAR);
}

async function missingWindows(store: CandleStore, series: Series): Promise<number> {
  let count = 0;
  for (let from = series.from; from < series.to; ) {
    const holes = await store.holes({ ...series, from, limit: HOLES_MAX });
    for (const hole of holes) count += windowsOf(series.interval, hole.from, hole.to);
    const last = holes.at(-1);
    if (last === undefined || holes.length < HOLES_MAX) break;
    from = last.to;
  }
  return count;
}

/** About, and parts of one at the ends: months have no one length. */
function windowsOf(interval: Interval, from: EpochMs, to: EpochMs): number {
  return Math.max(0, (to - from) / INTERVAL_MS[interval]);
}

// What is missing in view and could be fetched: a gap, what is older than what is kept, or the moment that was asked for. Pure.
import {
  DEFAULT_CALENDAR,
  INTERVAL_MS,
  type Interval,
  openTimeOf,
} from '../../src/core/market/interval.ts';
import { epochMs } from '../../src/core/market/time.ts';
import { BACKFILL_LAG_MS, BACKFILL_WINDOWS_MAX } from '../../src/protocol/backfill.ts';

/** Offered before the oldest candle: a week of 1m. */
export const OLDER_WINDOWS = 10_000;
/** The exchange's first candles are of this day: nothing is older. */
export const EXCHANGE_BEGAN_MS = Date.UTC(2017, 7, 17);

/** Open times, ms: `from` inclusive, `to` exclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface GapInView extends Span {
  /** Middle of what is seen of it, px from the chart's left. */
  readonly x: number;
}

export interface GapView {
  readonly interval: Interval;
  /** Px: of several gaps the one nearest to it counts. */
  readonly middleX: number;
  readonly gaps: readonly GapInView[];
  /** Open time of the oldest candle there is, where the reader has left the live edge for it. */
  readonly oldest: number | undefined;
  /** What was asked for and is not there, and the gap it lies in; `to` undefined while the candle behind it is not loaded. */
  readonly sought: Sought | undefined;
  /** Slots in view. */
  readonly slots: number;
  /** The exchange's time. */
  readonly now: number;
  /** Where the exchange was asked and had no more. */
  readonly askedSpans: readonly Span[];
}

export interface Sought {
  readonly openTime: number;
  readonly gap: { readonly from: number; readonly to: number | undefined };
}

export interface MissingSpan {
  readonly kind: 'gap' | 'older' | 'sought';
  /** All that is missing; `from` 0: nobody knows since when. */
  readonly gap: Span;
  /** What is fetched at once: all of it, or the part the reader is nearest to. */
  readonly fetch: Span;
  /** Windows in `fetch`; 0 where nothing can be fetched. */
  readonly windows: number;
  /** The exchange has been asked: it has none. */
  readonly isAsked: boolean;
  readonly openTime: number | undefined;
  readonly x: number;
}

/** The one to show, of those in view. */
export function missingSpan(view: GapView): MissingSpan | undefined {
  const { sought, oldest } = view;
  if (sought !== undefined) return soughtSpan(view, sought);
  const distance = ({ x }: GapInView) => Math.abs(x - view.middleX);
  const gaps = view.gaps
    .toSorted((a, b) => distance(a) - distance(b))
    .map((gap) => measured(view, 'gap', gap, lastPart(view, gap, BACKFILL_WINDOWS_MAX), gap.x));
  // What was fetched in vain is told where nothing better can be.
  const gap = gaps.find(({ isAsked, windows }) => windows > 0 && !isAsked) ?? gaps[0];
  if (gap !== undefined || oldest === undefined) return gap;
  const older = { from: 0, to: oldest };
  if (oldest <= EXCHANGE_BEGAN_MS + INTERVAL_MS[view.interval]) return undefined;
  return measured(view, 'older', older, lastPart(view, older, OLDER_WINDOWS), 0);
}

function soughtSpan(view: GapView, { openTime, gap }: Sought): MissingSpan | undefined {
  const { interval, slots, middleX } = view;
  if (gap.to === undefined) return undefined;
  const whole = { from: gap.from, to: gap.to };
  // A screen more than is looked at: the reader does not arrive at another end.
  const first = openTime - Math.ceil(slots) * INTERVAL_MS[interval];
  const from = startOf(interval, Math.max(gap.from, first, EXCHANGE_BEGAN_MS));
  const to = Math.min(gap.to, from + BACKFILL_WINDOWS_MAX * INTERVAL_MS[interval]);
  return { ...measured(view, 'sought', whole, { from, to }, middleX), openTime };
}

/** The newest windows of it. */
function lastPart({ interval }: GapView, { from, to }: Span, windows: number): Span {
  const first = Math.max(from, to - windows * INTERVAL_MS[interval], EXCHANGE_BEGAN_MS);
  return { from: startOf(interval, first), to };
}

function measured(
  { interval, now, askedSpans }: GapView,
  kind: MissingSpan['kind'],
  gap: Span,
  wanted: Span,
  x: number,
): MissingSpan {
  const fetch = { from: wanted.from, to: Math.min(wanted.to, now - BACKFILL_LAG_MS) };
  // Seconds before the first kept one were removed, not missed.
  const isKept = interval !== '1s' || (kind === 'gap' && gap.from > 0);
  const count = Math.max(0, Math.floor((fetch.to - fetch.from) / INTERVAL_MS[interval]));
  const isAsked = askedSpans.some(({ from, to }) => from <= fetch.from && to >= fetch.to);
  // Of months there is one at least, though February is shorter than the longest.
  const windows = interval === '1M' && fetch.to > fetch.from ? Math.max(1, count) : count;
  return { kind, gap, fetch, windows: isKept ? windows : 0, isAsked, openTime: undefined, x };
}

function startOf(interval: Interval, time: number): number {
  const day = interval === '3d' ? '1d' : interval;
  return openTimeOf(day, epochMs(Math.max(0, Math.floor(time))), DEFAULT_CALENDAR);
}

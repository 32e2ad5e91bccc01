// What the card over the chart says of what is missing, and what it offers. Pure.
import { INTERVAL_MS, type Interval } from '../../src/core/market/interval.ts';
import type { BackfillView } from '../../src/protocol/backfill.ts';
import { candleTimeText, type ZoneOffset } from '../chart/wall-clock.ts';
import { groupThousands } from '../legend/format-decimal.ts';
import type { MissingSpan, Span } from './missing-span.ts';

export interface GapCard {
  readonly title: string;
  /** Why it failed, or how far it is. */
  readonly note: string;
  readonly isFault: boolean;
  /** 0…1; undefined: it has begun, and how much there is to do is not known yet. */
  readonly progress: number | undefined;
  readonly isRunning: boolean;
  /** The button's; undefined where there is nothing to be done. */
  readonly label: string | undefined;
}

export interface CardInput {
  readonly symbol: string;
  readonly interval: Interval;
  readonly zone: ZoneOffset;
  readonly missing: MissingSpan | undefined;
  /** Whether the server can fetch at all. */
  readonly canFetch: boolean;
  /** Of this page, of whatever symbol. */
  readonly running: BackfillView | undefined;
  /** The last one that failed, where it was of this view. */
  readonly failed: { readonly span: Span; readonly reason: string } | undefined;
}

const QUIET = { note: '', isFault: false, progress: undefined, isRunning: false };

/** Undefined: nothing is to be said. A gap that nobody can fill is seen by its hatch alone. */
export function gapCard(input: CardInput): GapCard | undefined {
  const { running, missing, canFetch, failed } = input;
  if (running !== undefined) return runningCard(running);
  if (missing === undefined) return undefined;
  const title = titleOf(missing, input);
  if (missing.isAsked) {
    return { ...QUIET, title: emptyTitle(missing, input), label: undefined };
  }
  const label = canFetch && missing.windows > 0 ? labelOf(missing, input) : undefined;
  if (label === undefined) {
    return missing.kind === 'sought' ? { ...QUIET, title, label } : undefined;
  }
  const isFailed = failed?.span.to === missing.fetch.to;
  if (!isFailed) return { ...QUIET, title, label };
  const note = `It could not be fetched: ${failed?.reason}`;
  return { ...QUIET, title, note, isFault: true, label: `Try again: ${label}` };
}

function runningCard({ symbol, interval, windows, windowsTotal }: BackfillView): GapCard {
  const isKnown = windowsTotal > 0;
  return {
    ...QUIET,
    title: `Fetching ${symbol} ${interval}`,
    note: isKnown ? `${grouped(windows)} of ${countText(interval, windowsTotal, '')}` : '',
    progress: isKnown ? windows / windowsTotal : undefined,
    isRunning: true,
    label: 'Cancel',
  };
}

function titleOf(missing: MissingSpan, view: CardInput): string {
  const at = (time: number) => candleTimeText(time, view.interval, view.zone);
  const { kind, gap, openTime } = missing;
  if (kind === 'gap') return `No candles ${spanWords(gap, view)}`;
  if (kind === 'older' || openTime === undefined)
    return `The oldest candle here is of ${at(gap.to)}`;
  return gap.from === 0
    ? `Nothing here is as old as ${at(openTime)}: this is the oldest candle, of ${at(gap.to)}`
    : `There is no candle of ${at(openTime)} here`;
}

function emptyTitle({ kind, gap, fetch }: MissingSpan, view: CardInput): string {
  const at = (time: number) => candleTimeText(time, view.interval, view.zone);
  if (kind === 'older') return `The exchange itself has no candles before ${at(gap.to)}`;
  return `The exchange itself has no candles ${spanWords(fetch, view)}`;
}

/** The date once, where both are of one day. */
function spanWords({ from, to }: Span, { interval, zone }: CardInput): string {
  const [first, last] = [from, to].map((time) => candleTimeText(time, interval, zone));
  const [date, clock] = last?.split(', ') ?? [];
  const isOfOneDay = clock !== undefined && first?.startsWith(`${date}, `);
  return `from ${first} to ${isOfOneDay ? clock : last}`;
}

function labelOf(missing: MissingSpan, { interval, zone }: CardInput): string {
  const { kind, gap, fetch, windows } = missing;
  if (kind === 'older') return `Fetch ${countText(interval, windows, 'older')}`;
  const isAll = fetch.from <= gap.from && fetch.to >= gap.to;
  if (isAll || kind === 'gap') return `Fetch ${countText(interval, windows, 'missing')}`;
  const since = candleTimeText(fetch.from, interval, zone);
  return `Fetch ${countText(interval, windows, '')} from ${since} on`;
}

const UNITS: Partial<Readonly<Record<Interval, string>>> = {
  '1s': 'second',
  '1m': 'minute',
  '1h': 'hour',
  '1d': 'day',
  '1w': 'week',
  '1M': 'month',
};

/** `312 missing minutes`, `1 missing 5m candle`. */
function countText(interval: Interval, count: number, which: string): string {
  const unit = UNITS[interval] ?? `${interval} candle`;
  const about = INTERVAL_MS[interval] === INTERVAL_MS['1M'] ? 'about ' : '';
  const words = [grouped(count), which, count === 1 ? unit : `${unit}s`];
  return about + words.filter((word) => word !== '').join(' ');
}

function grouped(count: number): string {
  return groupThousands(String(count));
}

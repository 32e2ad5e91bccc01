// Stored candles against the exchange's klines, interval by interval, page by page. Tells every difference; mends only through what it is given.
import {
  compareHistory,
  type HistoryDifference,
  isFault,
} from '../../core/audit/compare-history.ts';
import type { Candle } from '../../core/market/candle.ts';
import { INTERVAL_MS, type Interval } from '../../core/market/interval.ts';
import { type DigitsSeen, mayRound, NO_DIGITS, widenDigits } from '../../core/market/rounding.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import {
  addMs,
  type Clock,
  type DurationMs,
  type EpochMs,
  MINUTE_MS,
} from '../../core/market/time.ts';
import type { MarketHistory } from '../../feed/binance/market-history.ts';
import type { CandleStore } from '../../store/candle-store.ts';

/** The exchange's newest klines still change: what closed later than this before now is left to the live audit. */
export const SETTLED_AFTER_MS: DurationMs = 2 * MINUTE_MS;
/** Stored candles read at once: a page of the exchange's, and what it left out. */
const STORED_PAGE_MAX = 5_000;
const PROGRESS_MS: DurationMs = 5_000;

export interface VerifyOptions {
  readonly store: Pick<CandleStore, 'read'>;
  readonly history: Pick<MarketHistory, 'klines' | 'now'>;
  readonly symbols: readonly MarketSymbol[];
  readonly intervals: readonly Interval[];
  /** Open times, from inclusive, to exclusive. */
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly clock: Clock;
  /** Each difference as it is found, in order; true where it was mended. */
  readonly onDifference: (difference: HistoryDifference) => Promise<boolean>;
  readonly onProgress: (progress: VerifyProgress) => void;
  readonly signal: AbortSignal;
}

export interface VerifyProgress {
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  readonly compared: number;
  readonly perSecond: number;
  /** Of this symbol and interval; the exchange's answers set the pace. */
  readonly leftMs: DurationMs;
}

export interface VerifyResult {
  readonly compared: number;
  readonly faults: number;
  readonly mended: number;
  /** Within the bound of I3, or equal though marked incomplete. */
  readonly tolerated: number;
  /** What was asked for and nothing is stored of. */
  readonly empty: readonly string[];
}

/** @throws whatever the store or the exchange throw; the signal's reason when it aborts. */
export async function verifyHistory(options: VerifyOptions): Promise<VerifyResult> {
  const counts = { compared: 0, faults: 0, mended: 0, tolerated: 0 };
  const empty: string[] = [];
  for (const symbol of options.symbols) {
    const digits = digitsOf();
    for (const interval of options.intervals) {
      const span = await storedSpan(options, symbol, interval);
      if (span === undefined) empty.push(`${symbol} ${interval}`);
      else await verifySeries(options, { symbol, interval, span, digits, counts });
    }
  }
  return { ...counts, empty };
}

type Span = readonly [first: EpochMs, last: EpochMs];

/** What is stored there, up to what the exchange no longer changes. Before and after it nothing is missing: nothing was kept. */
async function storedSpan(
  { store, history, from, to }: VerifyOptions,
  symbol: MarketSymbol,
  interval: Interval,
): Promise<Span | undefined> {
  const settled = history.now() - SETTLED_AFTER_MS;
  const query = { symbol, interval, from, to: addMs(to, -1) };
  const [first] = await store.read({ ...query, limit: 1, take: 'first' });
  const newest = await store.read({ ...query, limit: STORED_PAGE_MAX, take: 'last' });
  const last = newest.findLast(({ closeTime }) => closeTime < settled);
  return first === undefined || last === undefined ? undefined : [first.openTime, last.openTime];
}

interface Series {
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  readonly span: Span;
  readonly digits: { seen(candle: Candle): void; mayRound(): boolean };
  readonly counts: { compared: number; faults: number; mended: number; tolerated: number };
}

async function verifySeries(options: VerifyOptions, series: Series): Promise<void> {
  const { history, signal } = options;
  const { symbol, interval, span } = series;
  const [first, last] = span;
  const progress = progressOf(options, series);
  for (let cursor = first; cursor <= last; ) {
    signal.throwIfAborted();
    const range = { startTime: cursor, endTime: last };
    const { closed, isFull } = await history.klines(symbol, interval, range);
    const end = isFull ? (closed.at(-1)?.openTime ?? last) : last;
    cursor = addMs(await comparePage(options, series, closed, [cursor, end]), 1);
    progress(cursor);
  }
}

/** Answers up to where it got: less than the page where the store has more there than is read at once. */
async function comparePage(
  { store, onDifference, signal }: VerifyOptions,
  { symbol, interval, digits, counts }: Series,
  page: readonly Candle[],
  [from, to]: Span,
): Promise<EpochMs> {
  const query = { symbol, interval, from, to, limit: STORED_PAGE_MAX, take: 'first' } as const;
  const ours = await store.read(query);
  for (const candle of ours) digits.seen(candle);
  const end = ours.length < STORED_PAGE_MAX ? to : (ours.at(-1)?.openTime ?? to);
  const theirs = page.filter(({ openTime }) => openTime <= end);
  counts.compared += Math.max(ours.length, theirs.length);
  for (const difference of compareHistory(ours, theirs, digits.mayRound())) {
    signal.throwIfAborted();
    const isMended = await onDifference(difference);
    if (!isFault(difference)) counts.tolerated += 1;
    else if (isMended) counts.mended += 1;
    if (isFault(difference)) counts.faults += 1;
  }
  return end;
}

function digitsOf(): Series['digits'] {
  let digits: DigitsSeen = NO_DIGITS;
  return {
    seen(candle) {
      // Longer candles are sums of the same digits.
      digits = widenDigits(digits, candle);
    },
    mayRound: () => mayRound(digits),
  };
}

/** Tells how far it is, at most once in `PROGRESS_MS`. */
function progressOf(
  { clock, onProgress }: VerifyOptions,
  { symbol, interval, span: [first, last], counts }: Series,
): (cursor: EpochMs) => void {
  const startedAt = clock.now();
  const before = counts.compared;
  let toldAt = startedAt;
  return (cursor) => {
    const now = clock.now();
    const isDone = cursor > last;
    if (now - toldAt < PROGRESS_MS && !isDone) return;
    toldAt = now;
    const compared = counts.compared - before;
    const seconds = Math.max(0.001, (now - startedAt) / 1_000);
    const perSecond = compared / seconds;
    const left = isDone ? 0 : (last - cursor) / INTERVAL_MS[interval];
    const share = (cursor - first) / Math.max(1, last - first);
    const leftMs = left === 0 || share === 0 ? 0 : ((now - startedAt) * (1 - share)) / share;
    onProgress({ symbol, interval, compared, perSecond, leftMs });
  };
}

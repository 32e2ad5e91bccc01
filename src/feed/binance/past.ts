// A symbol's past for the store: after each of its starts the newest closed candles, then those missed while nobody was there.
// One start at a time; it waits for the reader and gives way to all that is urgent.
import { DEFAULT_CALENDAR, INTERVALS, type Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import {
  addMs,
  type Clock,
  DAY_MS,
  type DurationMs,
  type EpochMs,
  MINUTE_MS,
} from '../../core/market/time.ts';
import type { FeedEvent, StartPoint } from '../market-feed.ts';
import { fetchGap, fetchHistory, START_INTERVALS } from './history.ts';
import { isFinal, type Rest } from './rest.ts';
import { HISTORY_MINUTES } from './start-tiles.ts';

/** What was missed longer ago is not fetched, and it is said so: 44 pages of minutes a symbol. */
export const HISTORY_GAP_DAYS_MAX = 30;

/** A login page in between, or an endpoint that refuses us, may be gone after this. */
export const HISTORY_RETRY_MS: DurationMs = 15_000;

/** Seconds are kept for a day only, and would be 60 times as many pages. */
const NO_GAP_INTERVALS: ReadonlySet<Interval> = new Set(['1s']);

export interface SymbolJoin {
  /** Candles that closed before this are history. */
  readonly start: EpochMs;
  /** End of what was held before; undefined: nothing was. */
  readonly missedFrom: EpochMs | undefined;
}

export interface Past {
  /** The symbol has started, or started again. While one start's past is being fetched, the next ones wait as one. */
  joined(join: SymbolJoin): void;
  hasJoined(): boolean;
  /** Resolves when nothing is under way. Never rejects. */
  done(): Promise<void>;
}

export interface PastOptions {
  readonly symbol: MarketSymbol;
  readonly historyIntervals?: readonly Interval[];
  readonly oldestHole?: StartPoint['oldestHole'];
  readonly rest: Pick<Rest, 'klines'>;
  readonly clock: Clock;
  readonly push: (event: FeedEvent) => void;
  /** Waits while the reader is behind. */
  readonly room: () => Promise<void>;
  readonly logger: { warn(message: string): void };
  readonly signal: AbortSignal;
}

export function createPast(options: PastOptions): Past {
  const { symbol, rest, clock, push, room, logger, signal } = options;
  const intervals = options.historyIntervals ?? INTERVALS;
  let isJoined = false;
  let oldestHole = options.oldestHole;
  let wanted: SymbolJoin | undefined;
  let running: Promise<void> | undefined;

  /** The exchange's klines, however long it takes. @throws what will not change by asking again; the signal's reason. */
  const klines: Rest['klines'] = async (...question) => {
    for (let isTold = false; ; isTold = true) {
      try {
        return await rest.klines(...question);
      } catch (error) {
        if (signal.aborted || isFinal(error)) throw error;
        if (!isTold) {
          const every = `asking again every ${HISTORY_RETRY_MS / 1_000} s`;
          logger.warn(`${symbol} ${question[1]}: no history yet, ${String(error)}; ${every}`);
        }
        await clock.sleep(HISTORY_RETRY_MS, signal);
        signal.throwIfAborted();
      }
    }
  };
  const asking = { rest: { klines }, signal };

  async function fetchWanted(): Promise<void> {
    while (wanted !== undefined && !signal.aborted) {
      const join = wanted;
      wanted = undefined;
      await fetchPast(join);
    }
    running = undefined;
  }

  /** What was missed before, and not fetched to its end, is missed still. */
  async function firstMissed(missedFrom: EpochMs | undefined): Promise<EpochMs | undefined> {
    const ask = oldestHole;
    oldestHole = undefined;
    const hole = await ask?.().catch((error: unknown) => {
      logger.warn(`${symbol}: what was missed in earlier pauses is not known, ${String(error)}`);
      return undefined;
    });
    return hole ?? missedFrom;
  }

  async function fetchPast(join: SymbolJoin): Promise<void> {
    const { start } = join;
    const reached = new Map<Interval, EpochMs>();
    for (const interval of intervals.filter((each) => !START_INTERVALS.has(each))) {
      if (signal.aborted) return;
      const oldest = await fetchNewest(interval, start);
      if (oldest !== undefined) reached.set(interval, oldest);
    }
    // Last, so that minutes without a hole say that nothing else is missing either.
    reached.set('1m', addMs(start, -HISTORY_MINUTES * MINUTE_MS));
    const missedFrom = await firstMissed(join.missedFrom);
    if (missedFrom === undefined || signal.aborted) return;
    const from = gapStart(missedFrom, start);
    const isMissed = ([interval, to]: [Interval, EpochMs]) =>
      to > from && !NO_GAP_INTERVALS.has(interval);
    for (const [interval, to] of [...reached].filter(isMissed)) {
      await fetchMissed(interval, from, to);
    }
  }

  function gapStart(missedFrom: EpochMs, start: EpochMs): EpochMs {
    const limit = addMs(start, -HISTORY_GAP_DAYS_MAX * DAY_MS);
    if (missedFrom >= limit) return missedFrom;
    logger.warn(
      `${symbol}: candles from ${iso(missedFrom)} to ${iso(limit)} are missing; at most ${HISTORY_GAP_DAYS_MAX} days are fetched after a pause`,
    );
    return limit;
  }

  /** Open time of the oldest candle handed on. */
  async function fetchNewest(interval: Interval, before: EpochMs): Promise<EpochMs | undefined> {
    const candles = await fetchHistory(symbol, interval, before, asking).catch((error: unknown) => {
      if (!signal.aborted) logger.warn(`${symbol} ${interval}: no history, ${String(error)}`);
      return [];
    });
    await room();
    if (candles.length > 0) push({ type: 'history', candles });
    return candles[0]?.openTime;
  }

  async function fetchMissed(interval: Interval, from: EpochMs, to: EpochMs): Promise<void> {
    // None of these intervals hangs on the symbol's 3d anchor.
    const gap = { from, to, calendar: DEFAULT_CALENDAR };
    try {
      signal.throwIfAborted();
      for await (const candles of fetchGap(symbol, interval, gap, asking)) {
        await room();
        if (signal.aborted) return;
        push({ type: 'history', candles });
      }
    } catch (error) {
      if (signal.aborted) return;
      logger.warn(
        `${symbol} ${interval}: candles between ${iso(from)} and ${iso(to)} are missing; they could not be fetched, ${String(error)}`,
      );
    }
  }

  return {
    joined({ start, missedFrom }) {
      isJoined = true;
      wanted = { start, missedFrom: wanted?.missedFrom ?? missedFrom };
      running ??= fetchWanted();
    },
    hasJoined: () => isJoined,
    async done() {
      await running;
    },
  };
}

function iso(time: EpochMs): string {
  return new Date(time).toISOString();
}

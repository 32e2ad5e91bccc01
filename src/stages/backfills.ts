// Back-fills that a reader asks for while the market runs: one a symbol, told as they go, ended by whoever asks. How one is fetched is backfill.ts's.
import type { Logger } from 'pino';
import type { Interval } from '../core/market/interval.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { Clock, DurationMs, EpochMs } from '../core/market/time.ts';
import type { KlinePages } from '../feed/kline-history.ts';
import type { BackfillView } from '../protocol/backfill.ts';
import type { CandleStore } from '../store/candle-store.ts';
import { type BackfillProgress, backfill } from './backfill.ts';
import type { Refused } from './write-candles.ts';

/** Of different symbols, running at once; another is refused until one has ended. */
export const BACKFILLS_AT_ONCE_MAX = 4;
/** Whose end is remembered; beyond it the oldest is forgotten. */
export const BACKFILLS_KEPT_MAX = 100;
/** Without progress for so long (looked at that often) it fails: the exchange or the store is away, and its reader should know. */
export const BACKFILL_SILENCE_MS_MAX: DurationMs = 120_000;

export interface BackfillRequest {
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  /** Inclusive. */
  readonly from: EpochMs;
  /** Exclusive. */
  readonly to: EpochMs;
}

export type BackfillStart =
  | { readonly type: 'started'; readonly backfill: BackfillView }
  /** Another one of the symbol is running. */
  | { readonly type: 'busy'; readonly backfill: BackfillView }
  | { readonly type: 'too-many' };

export interface Backfills extends AsyncDisposable {
  /** The very same, asked for again while it runs, is the one that runs. */
  start(request: BackfillRequest): BackfillStart;
  find(id: string): BackfillView | undefined;
  /** One that has ended stays as it is. */
  cancel(id: string): BackfillView | undefined;
}

export interface BackfillsOptions {
  readonly history: KlinePages;
  readonly store: CandleStore;
  readonly keepSecondsMs: DurationMs;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

interface Job {
  view: BackfillView;
  readonly request: BackfillRequest;
  readonly stopping: AbortController;
  /** Aborts when it has ended. */
  readonly over: AbortController;
  /** Counts its signs of life. */
  heard: number;
  /** Why it was given up; what the store said last. */
  fault: string | undefined;
  storeFault: string | undefined;
  ended: Promise<unknown>;
}

export function createBackfills(options: BackfillsOptions): Backfills {
  const { history, store, keepSecondsMs, clock, logger } = options;
  /** In the order they were asked for. */
  const jobs = new Map<string, Job>();
  /** Ids of an earlier process name nothing here. */
  const prefix = clock.now().toString(36);
  let started = 0;

  function open(request: BackfillRequest): Job {
    started += 1;
    const id = `${prefix}-${started}`;
    const none = { candles: 0, windows: 0, windowsTotal: 0 };
    return {
      view: { id, ...request, state: 'running', ...none },
      request,
      stopping: new AbortController(),
      over: new AbortController(),
      heard: 0,
      fault: undefined,
      storeFault: undefined,
      ended: Promise.resolve(),
    };
  }

  async function run(job: Job): Promise<void> {
    const { symbol, interval, from, to } = job.request;
    const { signal } = job.stopping;
    try {
      await backfill({
        ...{ history, store, keepSecondsMs, clock, signal, from, to },
        symbols: [symbol],
        intervals: [interval],
        onProgress(progress: BackfillProgress) {
          job.heard += 1;
          job.view = { ...job.view, ...progress };
        },
        onFailure(error) {
          job.storeFault = `the candle store failed: ${textOf(error)}`;
        },
        onRefused(refused) {
          job.fault ??= refusedText(refused);
        },
      });
    } catch (error) {
      if (!signal.aborted) job.fault = textOf(error);
    }
    const { fault } = job;
    if (fault !== undefined) job.view = { ...job.view, state: 'failed', reason: fault };
    else job.view = { ...job.view, state: signal.aborted ? 'cancelled' : 'done' };
    job.over.abort();
    if (fault === undefined) logger.info(lineOf(job.view));
    else logger.warn(lineOf(job.view));
  }

  async function giveUpInSilence(job: Job): Promise<void> {
    const over = job.over.signal;
    for (let heard = job.heard; ; heard = job.heard) {
      await clock.sleep(BACKFILL_SILENCE_MS_MAX, over);
      if (over.aborted) return;
      if (job.heard > heard) continue;
      const why = job.storeFault ?? 'the exchange does not answer';
      job.fault = `Nothing came for ${BACKFILL_SILENCE_MS_MAX / 1_000} s, ${why}; try again later`;
      job.stopping.abort();
      return;
    }
  }

  function running(): readonly Job[] {
    return [...jobs.values()].filter(({ view }) => view.state === 'running');
  }

  function forget(): void {
    for (const [id, { view }] of jobs) {
      if (jobs.size <= BACKFILLS_KEPT_MAX) return;
      if (view.state !== 'running') jobs.delete(id);
    }
  }

  return {
    start(request) {
      const others = running();
      const own = others.find(({ request: { symbol } }) => symbol === request.symbol);
      if (own !== undefined) {
        return { type: isSame(own.request, request) ? 'started' : 'busy', backfill: own.view };
      }
      if (others.length >= BACKFILLS_AT_ONCE_MAX) return { type: 'too-many' };
      const job = open(request);
      jobs.set(job.view.id, job);
      forget();
      logger.info(lineOf(job.view));
      job.ended = Promise.all([run(job), giveUpInSilence(job)]);
      return { type: 'started', backfill: job.view };
    },
    find: (id) => jobs.get(id)?.view,
    cancel(id) {
      const job = jobs.get(id);
      if (job?.view.state !== 'running') return job?.view;
      // What is under way ends in a moment; its reader need not wait to see it.
      job.stopping.abort();
      job.view = { ...job.view, state: 'cancelled' };
      return job.view;
    },
    async [Symbol.asyncDispose]() {
      for (const job of running()) job.stopping.abort();
      await Promise.all([...jobs.values()].map(({ ended }) => ended));
    },
  };
}

function isSame(a: BackfillRequest, b: BackfillRequest): boolean {
  return a.interval === b.interval && a.from === b.from && a.to === b.to;
}

function refusedText(refused: readonly Refused[]): string | undefined {
  const [first] = refused;
  return first && `${refused.length} candles could not be stored: ${first.error.message}`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function lineOf({ id, symbol, interval, from, to, state, candles, reason }: BackfillView): string {
  const span = `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
  const why = reason === undefined ? '' : ` (${reason})`;
  return `Back-fill ${id} of ${symbol} ${interval}, ${span}: ${state}, ${candles} candles${why}`;
}

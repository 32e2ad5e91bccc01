// One `<symbol>@kline_<interval>` stream: open states at the exchange's pace, the closed candle exactly once, no corrections (I5).
// A candle that lacks trades is sent as closed once it is repaired.
import type { Candle, LiveCandle } from '../../core/market/candle.ts';
import type { Interval } from '../../core/market/interval.ts';
import { addMs, type Clock, type DurationMs, type EpochMs } from '../../core/market/time.ts';
import { klineEvent } from './binance-text.ts';
import type { StreamConnection, StreamFrame } from './stream-connection.ts';
import { UnfinishedCandles } from './unfinished-candles.ts';

/** The exchange's: open states no more often than this. */
export const KLINE_UPDATE_MS: DurationMs = 2_000;
export const KLINE_UPDATE_1S_MS: DurationMs = 1_000;

/**
 * A window that closed longer than this before the stream began is history, and not sent as closed:
 * a bot would act on each of the day's 1,440 minutes that a symbol's join brings. The exchange's own
 * closed frame comes up to 2.4 s after its window, so what closes within 10 s may still be news.
 */
export const CLOSED_FRAME_DELAY_MS_MAX: DurationMs = 10_000;

export interface KlineStreamOptions {
  readonly name: string;
  readonly interval: Interval;
  /** Open time of the newest candle closed so far, −1 where none: it is not sent again. */
  readonly closedUpTo: number;
  readonly clock: Clock;
  readonly exchangeTime: () => EpochMs;
  /** Exchange's clock minus ours, ms; undefined while it is not known. */
  readonly clockOffsetMs: () => number | undefined;
  /** The candles' times are long past (a recording), whatever the exchange's clock shows: each that closes is news. */
  readonly isPast: () => boolean;
}

export class KlineStream {
  readonly subscribers = new Set<StreamConnection>();
  readonly #options: KlineStreamOptions;
  readonly #updateMs: DurationMs;
  readonly #createdAt: EpochMs;
  /** By the exchange's clock, once that is known. */
  #start: EpochMs | undefined;
  readonly #closed = new AbortController();
  readonly #unfinished: UnfinishedCandles;
  #closedUpTo: number;
  #newest: LiveCandle | undefined;
  #lastUpdateAt = Number.NEGATIVE_INFINITY;
  #isPlanned = false;

  constructor(options: KlineStreamOptions) {
    this.#options = options;
    this.#updateMs = options.interval === '1s' ? KLINE_UPDATE_1S_MS : KLINE_UPDATE_MS;
    this.#closedUpTo = options.closedUpTo;
    this.#createdAt = options.clock.now();
    this.#unfinished = new UnfinishedCandles({
      clock: options.clock,
      send: (candle) => this.#sendClosed(candle),
      signal: this.#closed.signal,
    });
  }

  applyLive(candle: LiveCandle): void {
    if (candle.closed || candle.openTime <= this.#closedUpTo) return;
    this.#newest = candle;
    if (this.#isPlanned) return;
    const restMs = this.#lastUpdateAt + this.#updateMs - this.#options.clock.now();
    if (restMs <= 0) {
      this.#sendNewest();
      return;
    }
    this.#isPlanned = true;
    // Nothing in it fails; an abort ends it.
    void this.#options.clock.sleep(restMs, this.#closed.signal).then(() => {
      this.#isPlanned = false;
      if (!this.#closed.signal.aborted) this.#sendNewest();
    });
  }

  applyClosed(candle: Candle): void {
    // One that is corrected before it was ever closed here was closed by the process before this one.
    if (candle.openTime <= this.#closedUpTo) {
      if (candle.revision > 0) this.#unfinished.corrected(candle);
      return;
    }
    this.#closedUpTo = candle.openTime;
    if (this.#newest !== undefined && this.#newest.openTime <= candle.openTime) {
      this.#newest = undefined;
    }
    if (this.#isHistory(candle)) return;
    // A recording's repairs may be long over or never have come: what closes there is sent as it is.
    if (this.#options.isPast()) this.#sendClosed(candle);
    else this.#unfinished.closed(candle);
  }

  close(): void {
    this.#closed.abort();
  }

  /**
   * When the stream began by the exchange's clock. To be asked with each news of that clock: at the creation it may not be known
   * yet, and after the machine's clock was set it could not be told any more.
   */
  learnStart(): EpochMs {
    if (this.#start !== undefined) return this.#start;
    const offsetMs = this.#options.clockOffsetMs();
    if (offsetMs === undefined) return this.#createdAt;
    const start = addMs(this.#createdAt, Math.round(offsetMs));
    // Later than now where the machine's clock was set back in between: then it is not known better than this.
    this.#start = Math.min(start, this.#options.exchangeTime()) as EpochMs;
    return this.#start;
  }

  #sendClosed(candle: Candle): void {
    const frame = this.#frame(candle, true);
    for (const subscriber of this.subscribers) subscriber.send(frame);
  }

  #sendNewest(): void {
    if (this.#newest === undefined) return;
    const frame = this.#frame(this.#newest, false);
    this.#newest = undefined;
    this.#lastUpdateAt = this.#options.clock.now();
    for (const subscriber of this.subscribers) subscriber.sendNewest(frame);
  }

  #isHistory({ closeTime }: Candle): boolean {
    if (this.#options.isPast()) return false;
    return closeTime < addMs(this.learnStart(), -CLOSED_FRAME_DELAY_MS_MAX);
  }

  #frame(candle: Candle, isClosed: boolean): StreamFrame {
    const raw = klineEvent(candle, this.#options.exchangeTime(), isClosed);
    return { name: this.#options.name, raw, combined: undefined };
  }
}

// Closed candles that are known to lack trades, held back until their repair: the exchange never sends a closed candle that is wrong.
// Not for ever: after `REPAIR_WAIT_MS_MAX` what is known is sent, for no bot may wait for a minute that cannot be had.
import type { Candle } from '../../core/market/candle.ts';
import type { Clock, DurationMs, EpochMs } from '../../core/market/time.ts';

/** A repair takes seconds; one that takes longer than this may never come. */
export const REPAIR_WAIT_MS_MAX: DurationMs = 600_000;
/** Of one stream. At the limit the oldest is sent as it is. */
export const UNFINISHED_MAX = 1_000;

export class UnfinishedCandles {
  readonly #held = new Map<EpochMs, Candle>();
  readonly #clock: Clock;
  readonly #send: (candle: Candle) => void;
  readonly #signal: AbortSignal;

  constructor(options: {
    readonly clock: Clock;
    readonly send: (candle: Candle) => void;
    readonly signal: AbortSignal;
  }) {
    this.#clock = options.clock;
    this.#send = options.send;
    this.#signal = options.signal;
  }

  /** First word of a closed candle: sent, or held where it is not complete. */
  closed(candle: Candle): void {
    if (candle.complete) {
      this.#send(candle);
      return;
    }
    this.#held.set(candle.openTime, candle);
    const [oldest] = this.#held.keys();
    if (this.#held.size > UNFINISHED_MAX && oldest !== undefined) this.#release(oldest);
    // Nothing in it fails; the signal ends it.
    void this.#clock.sleep(REPAIR_WAIT_MS_MAX, this.#signal).then(() => {
      if (!this.#signal.aborted) this.#release(candle.openTime);
    });
  }

  /** A correction of one that is held; of any other it is nobody's news. */
  corrected(candle: Candle): void {
    const held = this.#held.get(candle.openTime);
    if (held === undefined || candle.revision <= held.revision) return;
    this.#held.set(candle.openTime, candle);
    if (candle.complete) this.#release(candle.openTime);
  }

  #release(openTime: EpochMs): void {
    const candle = this.#held.get(openTime);
    if (candle === undefined) return;
    this.#held.delete(openTime);
    this.#send(candle);
  }
}

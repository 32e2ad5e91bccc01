// How long one symbol waits for what comes by itself, a closed kline or a late trade, before REST is asked. A jump of the machine's clock
// makes no wait longer than it would be.
import { type Clock, type DurationMs, type EpochMs, MINUTE_MS } from '../../core/market/time.ts';
import { KLINE_SETTLE_MS } from './kline-rows.ts';
import { EVIDENCE_RETRY_MS, type MinuteEvidence } from './minute-evidence.ts';
import type { Lack, MinuteGate } from './minute-gate.ts';
import type { Rest } from './rest.ts';
import type { Wake } from './wake.ts';

/** A closed kline's frame is waited for so long before REST is asked: it comes 0–2.4 s after the minute. */
export const EVIDENCE_WAIT_MS: DurationMs = 2_500;
/** Trades that a closed kline counts and that have not come are waited for so long before REST is asked. */
export const TRADES_WAIT_MS: DurationMs = 500;
/** Longest pause between two questions for a minute whose end nobody announced. */
const OVERDUE_RETRY_MS_MAX: DurationMs = MINUTE_MS;
/** Longest sleep while nothing is lacking: the open minute, and what its end may take. */
const IDLE_MS_MAX: DurationMs = MINUTE_MS + KLINE_SETTLE_MS;

export interface MinuteWaits {
  /** One wait for what is lacking; true where it has been waited for long enough. */
  isOver(lack: Lack, open: MinuteGate): Promise<boolean>;
  nothingLacks(): void;
  /** Nothing is lacking: sleeps; but word of the open minute's end may itself have been missed. */
  idle(open: MinuteGate): Promise<void>;
  /** The next overdue minute is asked for without a pause. */
  askSoon(): void;
}

export interface MinuteWaitsOptions {
  readonly rest: Rest;
  readonly clock: Clock;
  readonly evidence: MinuteEvidence;
  readonly work: Wake;
  readonly signal: AbortSignal;
}

export function createMinuteWaits(options: MinuteWaitsOptions): MinuteWaits {
  const { rest, clock, evidence, work, signal } = options;
  let waiting: { readonly key: string; readonly until: EpochMs } | undefined;
  let overdueTries = 0;
  let askAgainAt = 0;

  return {
    async isOver(lack, open) {
      const key = `${lack.type} ${open.openMinute()}`;
      const ms = lack.type === 'trades' ? TRADES_WAIT_MS : EVIDENCE_WAIT_MS;
      if (waiting?.key !== key) waiting = { key, until: (clock.now() + ms) as EpochMs };
      const left = Math.min(waiting.until - clock.now(), ms);
      if (left <= 0) return true;
      if ((await work.wait(left, signal)) === 'timer') waiting = { key, until: 0 as EpochMs };
      return false;
    },
    nothingLacks() {
      waiting = undefined;
    },
    async idle(open) {
      const due = Math.max(open.openMinute() + MINUTE_MS + KLINE_SETTLE_MS, askAgainAt);
      const left = Math.min(due - rest.now(), IDLE_MS_MAX);
      if (left > 0) {
        await work.wait(left + 1, signal);
        return;
      }
      const hasMoved = await evidence.ask(open);
      overdueTries = hasMoved ? 0 : overdueTries + 1;
      const pause = Math.min(EVIDENCE_RETRY_MS * 2 ** overdueTries, OVERDUE_RETRY_MS_MAX);
      askAgainAt = rest.now() + pause;
    },
    askSoon() {
      askAgainAt = 0;
    },
  };
}

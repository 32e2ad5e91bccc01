// What was no trade, told without flooding the log: the first at once, then a count at most every 10 s. Payloads go to the log at debug alone; keeping them is the dead letters' part.
import type { Logger } from 'pino';
import type { Clock, DurationMs, EpochMs } from '../../core/market/time.ts';

export const REJECTED_TOLD_INTERVAL_MS: DurationMs = 10_000;

export interface Rejections {
  rejected(reason: string, payload: string): void;
  /** Tells what has not been told yet, once the interval is over. To be called now and then: rejections may stop. */
  tell(): void;
  /** Tells what has not been told yet, at once. */
  end(): void;
}

export function createRejections(options: {
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn' | 'debug'>;
}): Rejections {
  const { clock, logger } = options;
  let untold = 0;
  let newestReason = '';
  let toldAt: EpochMs | undefined;

  /** A clock set back must not silence it for longer than the interval. */
  function isTooSoon(now: EpochMs): boolean {
    return toldAt !== undefined && Math.abs(now - toldAt) < REJECTED_TOLD_INTERVAL_MS;
  }

  function end(): void {
    if (untold === 0) return;
    logger.warn(
      untold === 1
        ? `Rejected: ${newestReason}`
        : `Rejected ${untold} records; the newest: ${newestReason}`,
    );
    untold = 0;
    toldAt = clock.now();
  }

  function tell(): void {
    if (untold > 0 && !isTooSoon(clock.now())) end();
  }

  return {
    tell,
    end,
    rejected(reason, payload) {
      logger.debug({ reason, payload }, 'Rejected record');
      untold += 1;
      newestReason = reason;
      tell();
    },
  };
}

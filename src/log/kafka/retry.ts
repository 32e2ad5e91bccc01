// Tries again what failed for a passing reason, and tells of it in one line now and then. Decides nothing about what is passing.
import type { Logger } from 'pino';
import type { Clock, DurationMs, EpochMs } from '../../core/market/time.ts';
import { isPassing, reasonOf } from './faults.ts';

export const RETRY_MS_MIN: DurationMs = 50;
export const RETRY_MS_MAX: DurationMs = 1_000;
/** A fault shorter than this is nobody's business: a leader moved, a group was joined. */
const TELL_AFTER_MS: DurationMs = 1_000;
const TELL_INTERVAL_MS: DurationMs = 10_000;

export type RetryLogger = Pick<Logger, 'info' | 'warn' | 'debug'>;

export interface RetryOptions {
  readonly clock: Clock;
  readonly logger: RetryLogger;
  /** Where Kafka is, for the console. */
  readonly servers: string;
  readonly signal: AbortSignal;
}

/**
 * Calls `attempt` until it answers, pausing from `RETRY_MS_MIN`, each time twice as long, up to
 * `RETRY_MS_MAX`, for as long as it takes.
 * @throws what `attempt` throws where that is not passing, and the signal's reason once it aborts.
 */
export async function retry<T>(
  what: string,
  options: RetryOptions,
  attempt: () => Promise<T>,
): Promise<T> {
  const { clock, signal } = options;
  const progress = new Progress(what, options);
  for (let pauseMs = RETRY_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, RETRY_MS_MAX)) {
    signal.throwIfAborted();
    try {
      const answer = await attempt();
      progress.succeeded();
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
      progress.failed(error);
    }
    await clock.sleep(pauseMs, signal);
  }
}

class Progress {
  private readonly what: string;
  private readonly options: RetryOptions;
  private since: EpochMs | undefined;
  private toldAt: EpochMs | undefined;

  constructor(what: string, options: RetryOptions) {
    this.what = what;
    this.options = options;
  }

  failed(error: unknown): void {
    const { clock, logger, servers } = this.options;
    const now = clock.now();
    this.since ??= now;
    const lastedMs = now - this.since;
    const isDue =
      this.toldAt === undefined ? lastedMs >= TELL_AFTER_MS : now - this.toldAt >= TELL_INTERVAL_MS;
    if (!isDue) return;
    this.toldAt = now;
    logger.warn(
      `Kafka at ${servers}: cannot ${this.what} (${reasonOf(error)}); trying again, ${Math.round(lastedMs / 1_000)} s so far`,
    );
  }

  succeeded(): void {
    if (this.toldAt === undefined) return;
    const { clock, logger, servers } = this.options;
    const lastedMs = clock.now() - (this.since ?? clock.now());
    logger.info(`Kafka at ${servers} answers again after ${Math.round(lastedMs / 1_000)} s`);
  }
}

// Tries again what failed for a passing reason, and tells of it in one line now and then. Decides nothing about what is passing.
import type { Logger } from 'pino';
import type { Clock, DurationMs, EpochMs } from '../../core/market/time.ts';
import { LogError } from '../log.ts';
import { isPassing, reasonOf, remedyOf } from './faults.ts';

export const RETRY_MS_MIN: DurationMs = 50;
export const RETRY_MS_MAX: DurationMs = 1_000;
/** A fault shorter than this is nobody's business: a leader moved, a group was joined. */
const TELL_AFTER_MS: DurationMs = 1_000;
const TELL_INTERVAL_MS: DurationMs = 10_000;

export type RetryLogger = Pick<Logger, 'info' | 'warn' | 'debug'>;

export interface RetryOptions {
  readonly clock: Clock;
  /** Shared by all that try again at the same time: one broker that is away is one line, not one of each. */
  readonly outage: Outage;
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
  const { clock, outage, signal } = options;
  let since: EpochMs | undefined;
  for (let pauseMs = RETRY_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, RETRY_MS_MAX)) {
    signal.throwIfAborted();
    try {
      const answer = await attempt();
      outage.answered();
      if (since !== undefined) outage.over(since);
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      const refusal = outage.refusal(what, error);
      if (refusal !== undefined) throw refusal;
      if (!isPassing(error)) throw error;
      since ??= clock.now();
      outage.failed(what, error, since);
    }
    await clock.sleep(pauseMs, signal);
  }
}

/** What the user is told of a Kafka that does not answer, however many requests it concerns. */
export class Outage {
  readonly logger: RetryLogger;
  private readonly clock: Clock;
  /** Where Kafka is, for the console. */
  private readonly servers: string;
  private toldAt: EpochMs | undefined;
  private hasAnswered = false;

  constructor(servers: string, clock: Clock, logger: RetryLogger) {
    this.servers = servers;
    this.clock = clock;
    this.logger = logger;
  }

  /** For probes: why nothing goes on; undefined while it does. */
  get fault(): string | undefined {
    return this.toldAt === undefined ? undefined : `Kafka at ${this.servers} does not answer`;
  }

  answered(): void {
    this.hasAnswered = true;
  }

  /**
   * Who was never let in has the wrong settings, and is told so at once. Who was, goes on trying: a
   * broker that starts, or whose users and certificates are being exchanged, refuses for a while.
   */
  refusal(what: string, error: unknown): LogError | undefined {
    const remedy = this.hasAnswered && isPassing(error) ? undefined : remedyOf(error);
    if (remedy === undefined) return undefined;
    const message = `Kafka at ${this.servers}: cannot ${what} (${reasonOf(error)}): ${remedy}`;
    return new LogError('refused', message, { cause: error });
  }

  failed(what: string, error: unknown, since: EpochMs): void {
    const now = this.clock.now();
    const lastedMs = now - since;
    const isDue =
      this.toldAt === undefined ? lastedMs >= TELL_AFTER_MS : now - this.toldAt >= TELL_INTERVAL_MS;
    if (!isDue) return;
    this.toldAt = now;
    this.logger.warn(
      `Kafka at ${this.servers}: cannot ${what} (${reasonOf(error)}); trying again, ${Math.round(lastedMs / 1_000)} s so far`,
    );
  }

  over(since: EpochMs): void {
    if (this.toldAt === undefined) return;
    this.toldAt = undefined;
    const lastedMs = this.clock.now() - since;
    this.logger.info(
      `Kafka at ${this.servers} answers again after ${Math.round(lastedMs / 1_000)} s`,
    );
  }
}

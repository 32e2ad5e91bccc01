// The serve stage: follows the log and keeps what the servers answer from. Writes nothing, stores nothing.
import type { Logger } from 'pino';
import type { Interval } from '../core/market/interval.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { Clock, DurationMs } from '../core/market/time.ts';
import type { Log, LogConsumer } from '../log/log.ts';
import {
  AUDITS,
  FEED_STATUS,
  LISTINGS,
  OHLCV,
  OHLCV_LIVE,
  RAW_TICKS,
  SYMBOLS,
  type Topic,
} from '../protocol/topics.ts';
import type { LiveMarket } from './live-market.ts';
import { MarketModel } from './serve/market-model.ts';

export interface ServeOptions {
  readonly log: Log;
  readonly symbols: readonly MarketSymbol[];
  readonly intervals: readonly Interval[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** How long a reader waits for a first record before it looks again; a record wakes it at once. */
const POLL_TIMEOUT_MS: DurationMs = 1_000;

/**
 * Follows `ohlcv_<interval>`, `ohlcv_live`, `feed_status`, `audits`, `listings`, `symbols` and the trades of `raw_ticks`.
 * `done` resolves when `signal` has aborted and every reader is closed, and rejects where the log
 * fails. Listeners are called in the order each topic was read; the order between topics is open.
 */
export function serve(options: ServeOptions): LiveMarket & { readonly done: Promise<void> } {
  const { log, symbols, intervals, clock, logger, signal } = options;
  const market = new MarketModel(symbols);
  logFirstCandle(market, clock, logger);

  const follow = async <T>(
    group: string,
    topics: readonly Topic<T>[],
    apply: (value: T) => void,
  ): Promise<void> => {
    await using consumer: LogConsumer<T> = log.consumer({
      group,
      topics,
      // Ten of them can run, each with everything.
      reading: 'alone',
    });
    while (!signal.aborted) {
      const records = await consumer.poll({ timeoutMs: POLL_TIMEOUT_MS, signal });
      for (const record of records) apply(record.value);
      if (records.length > 0) await consumer.commit([]);
    }
  };

  const done = Promise.all([
    follow('serve-status', [FEED_STATUS], (status) => market.applyStatus(status)),
    follow(
      'serve-candles',
      intervals.map((interval) => OHLCV[interval]),
      (candle) => market.applyClosed(candle),
    ),
    follow('serve-listings', [LISTINGS], (listing) => market.applyListing(listing)),
    follow('serve-symbols', [SYMBOLS], (wish) => market.applyWish(wish)),
    follow('serve-audits', [AUDITS], (audit) => market.applyAudit(audit)),
    follow('serve-live', [OHLCV_LIVE], (candle) => market.applyLive(candle)),
    follow('serve-trades', [RAW_TICKS], (tick) => {
      if (tick.type === 'aggTrade') market.applyTrade(tick.trade);
    }),
  ]).then(() => undefined);
  return Object.assign(market, { done });
}

function logFirstCandle(market: LiveMarket, clock: Clock, logger: Logger): void {
  const startedAt = clock.now();
  const stop = market.subscribe((event) => {
    if (event.type !== 'live' && event.type !== 'closed') return;
    stop();
    const { symbol, interval } = event.candle;
    logger.debug({ symbol, interval, afterMs: clock.now() - startedAt }, 'first candle');
  });
}

// `wickstream backfill --from <time>`: the exchange's candles of the past into the store, what is missing and no more.
import { addMs } from '../../core/market/time.ts';
import { binanceKlineHistory } from '../../feed/binance/kline-history.ts';
import { type BackfillProgress, backfill } from '../../stages/backfill.ts';
import { binanceOptions } from '../choose-feed.ts';
import { ConfigError } from '../config.ts';
import { openStore } from '../open-store.ts';
import { systemClock } from '../system-clock.ts';
import type { TimeSpan } from '../time-span.ts';
import type { CommandContext } from './up.ts';

const PROGRESS_MS = 5_000;

export async function backfillStore(context: CommandContext, span: TimeSpan): Promise<void> {
  const { config, logger, signal } = context;
  const { from } = span;
  if (from === undefined) {
    throw new ConfigError(['--from: expected a day such as 2023-01-01, was nothing']);
  }
  if (config.source.kind === 'simulated' || config.source.kind === 'recording') {
    throw new ConfigError([
      `--source: expected binance, was "${config.source.kind}": only the exchange has a past to fetch`,
    ]);
  }
  const clock = systemClock;
  await using history = binanceKlineHistory(binanceOptions({ config, clock, logger }));
  await using store = await openStore(config, history.source, logger);
  const startedAt = clock.now();
  let nextAt: number = startedAt;
  const end = await backfill({
    history,
    store,
    symbols: config.symbols,
    intervals: config.intervals,
    from,
    to: span.to === undefined ? clock.now() : addMs(span.to, 1),
    keepSecondsMs: config.keepSecondsMs,
    clock,
    signal,
    onProgress(progress) {
      if (clock.now() < nextAt) return;
      nextAt = clock.now() + PROGRESS_MS;
      logger.info(progressText(progress, clock.now() - startedAt));
    },
    onFailure(error, retryMs) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn(`The candle store failed: ${reason}; trying again in ${retryMs} ms`);
    },
    onRefused(refused) {
      logger.error(`${refused.length} candles not stored: ${refused[0]?.error.message}`);
    },
  });
  const seconds = ((clock.now() - startedAt) / 1_000).toFixed(1);
  logger.info(`${end.candles} candles fetched and stored in ${seconds} s`);
  if (signal.aborted) logger.warn('Ended early: run it again, it goes on where it was');
  else if (end.windowsTotal > end.candles) {
    logger.info(
      `The exchange has no candles for about ${end.windowsTotal - end.candles} more windows: before a listing, or in an outage`,
    );
  }
}

/** `42 % of about 1,500,000 windows, 630,000 candles, 9,800/s, 1 min 29 s left`. */
export function progressText(progress: BackfillProgress, elapsedMs: number): string {
  const { candles, windows, windowsTotal } = progress;
  if (windowsTotal === 0) return 'Nothing is missing';
  const share = Math.min(1, windows / windowsTotal);
  const rate = candles / Math.max(1, elapsedMs / 1_000);
  const left = share === 0 ? '' : `, ${durationText((elapsedMs * (1 - share)) / share)} left`;
  const total = `${Math.floor(share * 100)} % of about ${windowsTotal} windows`;
  return `${total}, ${candles} candles, ${Math.round(rate)}/s${left}`;
}

function durationText(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

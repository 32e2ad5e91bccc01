// `wickstream export <file>`: the store's candles of the symbols and intervals asked for, as CSV or Parquet.
import { sourceId } from '../../core/market/source.ts';
import { exportCandles } from '../files/export-candles.ts';
import { keptSource } from '../kept-source.ts';
import { openStoreToRead } from '../open-store.ts';
import { systemClock } from '../system-clock.ts';
import type { TimeSpan } from '../time-span.ts';
import type { CommandContext } from './up.ts';

const PROGRESS_MS = 5_000;

export async function exportFile(
  context: CommandContext,
  path: string,
  span: TimeSpan,
): Promise<void> {
  const { config, logger, signal } = context;
  const source = keptSource(config);
  await using store = await openStoreToRead(config, source);
  let nextAt = systemClock.now() + PROGRESS_MS;
  const count = await exportCandles({
    path,
    store,
    market: sourceId(source),
    symbols: config.symbols,
    intervals: config.intervals,
    ...span,
    signal,
    onProgress(candles) {
      if (systemClock.now() < nextAt) return;
      nextAt = systemClock.now() + PROGRESS_MS;
      logger.info(`${candles} candles written`);
    },
  });
  const names = config.symbols.join(', ');
  logger.info(`${count} candles of ${names} in ${path}`);
  if (count === 0) logger.warn('None are kept of these symbols, intervals and times');
}

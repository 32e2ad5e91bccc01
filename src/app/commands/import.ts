// `wickstream import <files…>`: published klines, or what `export` wrote, into the store.
import { INTERVALS, type Interval, isInterval } from '../../core/market/interval.ts';
import { type MarketSymbol, parseMarketSymbol } from '../../core/market/symbol.ts';
import { sourceLabel } from '../choose-feed.ts';
import { ConfigError } from '../config.ts';
import { importCandles } from '../files/import-candles.ts';
import { type GivenKlines, listFiles } from '../files/list-files.ts';
import { keptSource } from '../kept-source.ts';
import { openStore } from '../open-store.ts';
import { systemClock } from '../system-clock.ts';
import type { CommandContext } from './up.ts';

/** Told one by one at most; the end tells how many there were. */
const REFUSALS_TOLD_MAX = 10;

/** @throws ConfigError */
export function parseGiven(options: { symbol?: string; interval?: string }): GivenKlines {
  const faults: string[] = [];
  const { symbol: name, interval } = options;
  const symbol: MarketSymbol | undefined = name === undefined ? undefined : parseMarketSymbol(name);
  if (name !== undefined && symbol === undefined) {
    faults.push(`--symbol: expected a symbol such as BTCUSDT, was "${name}"`);
  }
  const isLength = interval === undefined || isInterval(interval);
  if (!isLength)
    faults.push(`--interval: expected one of ${INTERVALS.join(' ')}, was "${interval}"`);
  if (faults.length > 0) throw new ConfigError(faults);
  return { symbol, interval: interval as Interval | undefined };
}

export async function importFiles(
  context: CommandContext,
  paths: readonly string[],
  given: GivenKlines,
): Promise<void> {
  const { config, logger, signal } = context;
  const source = keptSource(config);
  const files = await listFiles(paths, given);
  await using store = await openStore(config, source, logger);
  const startedAt = systemClock.now();
  let done = 0;
  let told = 0;
  const { read, rolledUp, refused } = await importCandles({
    files,
    store,
    source,
    intervals: config.intervals,
    signal,
    onFile({ path }, counts) {
      done += 1;
      logger.info(`${path}: file ${done} of ${files.length}, ${counts.read} candles so far`);
    },
    onRefused(message) {
      told += 1;
      if (told <= REFUSALS_TOLD_MAX) logger.error(`Candle not stored: ${message}`);
    },
  });
  const seconds = Math.max(1, systemClock.now() - startedAt) / 1_000;
  const rate = Math.round((read + rolledUp) / seconds);
  logger.info(
    `${read} candles of ${sourceLabel(source)} read, ${rolledUp} longer ones made of them, in ${seconds.toFixed(1)} s (${rate}/s)${refused > 0 ? `; ${refused} do not fit the store` : ''}`,
  );
  if (signal.aborted) logger.warn('Ended early: run it again, what is there is passed over');
}

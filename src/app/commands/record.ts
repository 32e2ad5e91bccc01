// `wickstream record <file>`: what the market sends, as records of raw_ticks, to a file; no candles, no dashboard.
import { recordTicks } from '../../feed/recording/record.ts';
import { openRecordingWriter } from '../../feed/recording/recording-writer.ts';
import { memoryLog } from '../../log/memory/memory-log.ts';
import { ingest } from '../../stages/ingest.ts';
import { chooseFeed, sourceLabel } from '../choose-feed.ts';
import { systemClock } from '../system-clock.ts';
import type { CommandContext } from './up.ts';

const PROGRESS_MS = 10_000;

export async function record(context: CommandContext, path: string): Promise<void> {
  const { config, logger, signal } = context;
  const clock = systemClock;
  await using closing = new AsyncDisposableStack();
  const { feed, notice } = await chooseFeed({ config, clock, logger, signal });
  closing.use(feed);
  if (notice !== undefined) logger.warn(notice);
  const { source } = feed;
  const { symbols } = config;
  const writer = closing.use(await openRecordingWriter({ path, source, symbols, clock }));
  const log = closing.use(memoryLog());
  let trades = 0;
  const counters = {
    onTrades: (count: number) => {
      trades += count;
    },
    onRejected: () => undefined,
    onHistory: () => undefined,
  };
  // The reader ends after the writer, so that what was appended last is in the file too.
  const reading = new AbortController();
  const recorded = recordTicks({ log, writer, signal: reading.signal });
  logger.info(`Recording ${sourceLabel(source)}: ${symbols.join(', ')} to ${path}; Ctrl-C ends it`);
  const progress = setInterval(() => logger.info(`${trades} trades recorded`), PROGRESS_MS);
  try {
    const starts = symbols.map((symbol) => ({ symbol, resumeFrom: undefined }));
    await Promise.race([
      ingest({ feed, log, starts, clock, logger, counters, signal }),
      recorded.then(() => undefined),
    ]);
  } finally {
    clearInterval(progress);
    reading.abort();
  }
  await recorded;
  logger.info(`${trades} trades recorded to ${path}`);
}

// `wickstream up`: everything in one process, until Ctrl-C.
import type { Logger } from 'pino';
import { chooseFeed, sourceLabel } from '../choose-feed.ts';
import { compose } from '../compose.ts';
import type { Config } from '../config.ts';
import { openStore } from '../open-store.ts';
import { systemClock } from '../system-clock.ts';

export interface CommandContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly version: string;
  /** Aborts when the user wants it to end. */
  readonly signal: AbortSignal;
}

export async function up({ config, logger, version, signal }: CommandContext): Promise<void> {
  const clock = systemClock;
  await using closing = new AsyncDisposableStack();
  const {
    feed,
    notice,
    symbols = config.symbols,
  } = await chooseFeed({ config, clock, logger, signal });
  closing.use(feed);
  if (notice !== undefined) logger.warn(notice);
  const store = closing.use(await openStore(config.dataDir, feed.source));
  const pipeline = closing.use(
    await compose({
      config,
      symbols,
      intervals: config.intervals,
      feed,
      store,
      clock,
      logger,
      version,
    }),
  );
  logger.info(
    { url: pipeline.url },
    `Wickstream ${version} shows ${sourceLabel(feed.source)}: ${symbols.join(', ')} at ${pipeline.url}`,
  );
  await untilAborted(signal, pipeline.ended);
  logger.info('Stopping');
}

/** Resolves when `signal` aborts. A recording that ended stays on the screen until then. */
export async function untilAborted(signal: AbortSignal, ended: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) return;
  signal.addEventListener('abort', () => resolve(), { once: true });
  await Promise.race([promise, ended.then(() => promise)]);
}

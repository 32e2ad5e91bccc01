// `wickstream up`: everything in one process, until Ctrl-C.
import type { Logger } from 'pino';
import { chooseFeed, sourceLabel } from '../choose-feed.ts';
import type { Config } from '../config.ts';
import { showFeed } from '../show-feed.ts';
import { systemClock } from '../system-clock.ts';

export interface CommandContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly version: string;
  /** Asked for with --port: where a stage that runs alone tells how it is. */
  readonly probePort?: number;
  /** Aborts when the user wants it to end. */
  readonly signal: AbortSignal;
}

export async function up(context: CommandContext): Promise<void> {
  const { config, logger, version, signal } = context;
  const chosen = await chooseFeed({ config, clock: systemClock, logger, signal });
  const { feed, notice, symbols = config.symbols } = chosen;
  if (notice !== undefined) logger.warn(notice);
  const names = symbols.join(', ');
  const announce = (url: string) =>
    `Wickstream ${version} shows ${sourceLabel(feed.source)}: ${names} at ${url}`;
  await showFeed(context, { feed, symbols, announce });
}

// `wickstream replay <file>`: a recording through the same stages, at any speed, into a database of its own.
import { recordingFeed } from '../../feed/recording/recording-feed.ts';
import { ConfigError } from '../config.ts';
import { showFeed } from '../show-feed.ts';
import { systemClock } from '../system-clock.ts';
import type { CommandContext } from './up.ts';

/** `max` is 0: without waiting. @throws ConfigError */
export function parseSpeed(text: string): number {
  if (text === 'max') return 0;
  const speed = Number(text);
  if (Number.isFinite(speed) && speed > 0) return speed;
  throw new ConfigError([`--speed: expected a number above 0 or max, was "${text}"`]);
}

export async function replay(context: CommandContext, path: string, speed: number): Promise<void> {
  const { logger } = context;
  const feed = await recordingFeed({ path, speed, clock: systemClock, logger });
  const { symbols } = feed.header;
  await showFeed(context, {
    feed,
    symbols,
    announce: (url) => `Replaying ${path} (${symbols.join(', ')}) at ${url}`,
    onEnded: () => logger.info('The recording is at its end'),
  });
}

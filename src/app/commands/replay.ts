// `wickstream replay <file>`: a recording through the same stages, at any speed, into a database of its own.
import { recordingFeed } from '../../feed/recording/recording-feed.ts';
import { compose } from '../compose.ts';
import { ConfigError } from '../config.ts';
import { openStore } from '../open-store.ts';
import { systemClock } from '../system-clock.ts';
import { type CommandContext, untilAborted } from './up.ts';

/** `max` is 0: without waiting. @throws ConfigError */
export function parseSpeed(text: string): number {
  if (text === 'max') return 0;
  const speed = Number(text);
  if (Number.isFinite(speed) && speed > 0) return speed;
  throw new ConfigError([`--speed: expected a number above 0 or max, was "${text}"`]);
}

export async function replay(context: CommandContext, path: string, speed: number): Promise<void> {
  const { config, logger, version, signal } = context;
  const clock = systemClock;
  await using closing = new AsyncDisposableStack();
  const feed = closing.use(await recordingFeed({ path, speed, clock, logger }));
  const store = closing.use(await openStore(config.dataDir, feed.source));
  const { symbols } = feed.header;
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
    `Replaying ${path} (${symbols.join(', ')}) at ${pipeline.url}`,
  );
  const ended = pipeline.ended.then(() => logger.info('The recording is at its end'));
  await untilAborted(signal, ended);
}

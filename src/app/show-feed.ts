// A feed through all stages and on the dashboard, until the user ends it: what `up` and `replay` share.
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { MarketFeed } from '../feed/market-feed.ts';
import type { Log } from '../log/log.ts';
import type { CommandContext } from './commands/up.ts';
import { compose } from './compose.ts';
import { openStore } from './open-store.ts';
import { systemClock } from './system-clock.ts';

export interface ShowFeedOptions {
  /** Closed at the end. */
  readonly feed: MarketFeed;
  readonly symbols: readonly MarketSymbol[];
  /** What the console says once the dashboard is at `url`. */
  readonly announce: (url: string) => string;
  /** Called when the feed has ended by itself (a recording); it stays on the screen. */
  readonly onEnded?: () => void;
}

/** @throws StoreError, and whatever ends a stage. */
export async function showFeed(context: CommandContext, options: ShowFeedOptions): Promise<void> {
  const { config, logger, version, signal } = context;
  const { feed, symbols, announce, onEnded } = options;
  const clock = systemClock;
  await using closing = new AsyncDisposableStack();
  closing.use(feed);
  const store = closing.use(await openStore(config, feed.source, logger));
  const { intervals } = config;
  const shared =
    config.kafka === undefined ? {} : { sharedLog: await openSharedLog(context, feed) };
  const pipeline = closing.use(
    await compose({ config, symbols, intervals, feed, store, clock, logger, version, ...shared }),
  );
  const { url } = pipeline;
  logger.info({ url }, announce(url));
  await untilAborted(signal, pipeline.ended.then(onEnded));
  logger.info('Stopping');
}

/** Resolves when `signal` aborts; rejects when `ended` does. */
async function untilAborted(signal: AbortSignal, ended: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) return;
  signal.addEventListener('abort', () => resolve(), { once: true });
  await Promise.race([promise, ended.then(() => promise)]);
}

/** Loaded where it is needed: the client of Kafka costs more to load than the rest. */
async function openSharedLog(context: CommandContext, feed: MarketFeed): Promise<Log> {
  const { claimSource, createTopics, openKafkaLog } = await import('./open-kafka.ts');
  const kafka = { ...context, clock: systemClock };
  const created = (await createTopics(kafka)).filter(({ state }) => state === 'created');
  if (created.length > 0) context.logger.info(`Created ${created.length} topics`);
  const log = openKafkaLog(kafka);
  try {
    await claimSource(log, feed.source, kafka);
    return log;
  } catch (error) {
    await log[Symbol.asyncDispose]();
    throw error;
  }
}

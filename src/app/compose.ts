// All stages in one process behind one port: what `up` and `replay` run. Puts the server before the stages; nothing else does.
import { join } from 'node:path';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import type { Interval } from '../core/market/interval.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { Clock } from '../core/market/time.ts';
import type { MarketFeed } from '../feed/market-feed.ts';
import type { Log } from '../log/log.ts';
import { createServer } from '../server/create-server.ts';
import { createBackfills } from '../stages/backfills.ts';
import type { CandleStore } from '../store/candle-store.ts';
import type { Config } from './config.ts';
import { openStages, wishRecord } from './run-stages.ts';

export interface Pipeline extends AsyncDisposable {
  /** Where the dashboard is. */
  readonly url: string;
  readonly log: Log;
  /** Resolves when the feed has ended by itself (a recording); rejects when a stage failed. */
  readonly ended: Promise<void>;
}

export interface ComposeOptions {
  readonly config: Config;
  readonly symbols: readonly MarketSymbol[];
  readonly intervals: readonly Interval[];
  readonly feed: MarketFeed;
  readonly store: CandleStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  /** Kafka; default: a log in this process. */
  readonly sharedLog?: Log;
  /** Called with the log before the first record is written: for a reader of `raw_ticks`. */
  readonly onLog?: (log: Log) => void;
}

export const DASHBOARD_DIR = join(import.meta.dirname, '../../web/dist');

/** Opens the port, then starts the stages. */
export async function compose(options: ComposeOptions): Promise<Pipeline> {
  const { config, symbols, intervals, feed, store, clock, logger, version } = options;
  await using opening = new AsyncDisposableStack();
  const { keepSecondsMs, keepTradesMs } = config;
  const shared = options.sharedLog === undefined ? {} : { sharedLog: options.sharedLog };
  const stages = openStages({
    ...{ symbols, intervals, feed, store, keepSecondsMs, clock, logger },
    ...(keepTradesMs === undefined ? {} : { keepTradesMs }),
    ...shared,
  });
  opening.use(stages);
  options.onLog?.(stages.log);
  const { history } = feed;
  const backfills =
    history === undefined
      ? undefined
      : createBackfills({ history, store, keepSecondsMs, clock, logger });
  const server = await createServer({
    market: stages.market,
    store,
    intervals,
    host: config.host,
    port: config.port,
    ...(config.accessToken === undefined ? {} : { accessToken: config.accessToken }),
    allowedHosts: config.allowedHosts,
    version,
    dashboardDir: DASHBOARD_DIR,
    clock,
    logger,
    metrics: new Registry(),
    source: feed.source,
    stages: stages.counts,
    wish: (wish) => stages.log.append([wishRecord(wish)]),
    storeFault: stages.storeFault,
    ...(backfills === undefined ? {} : { backfills }),
  });
  opening.use(server);
  const url = await server.listen();
  const { ended } = await stages.start();
  // They end before the server does: what they still bring is still shown.
  opening.defer(() => stages[Symbol.asyncDispose]());
  opening.use(backfills);
  const stack = opening.move();
  return { url, log: stages.log, ended, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

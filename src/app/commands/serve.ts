// `wickstream serve`: the dashboard and the APIs from Kafka's topics and the store, and no other state; any number of them.
import { existsSync } from 'node:fs';
import { Registry } from 'prom-client';
import type { Source } from '../../core/market/source.ts';
import type { DurationMs } from '../../core/market/time.ts';
import { createServer } from '../../server/create-server.ts';
import { serve } from '../../stages/serve.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import { sourceLabel } from '../choose-feed.ts';
import { DASHBOARD_DIR } from '../compose.ts';
import { awaitSource, openKafkaLog } from '../open-kafka.ts';
import { openStoreToRead, storePath } from '../open-store.ts';
import { wishRecord } from '../run-stages.ts';
import { systemClock } from '../system-clock.ts';
import type { CommandContext } from './up.ts';

const clock = systemClock;
const STORE_POLL_MS: DurationMs = 1_000;

export async function serveStage(context: CommandContext): Promise<void> {
  const { config, logger, version, signal } = context;
  const { symbols, intervals, host, port, allowedHosts, accessToken } = config;
  await using closing = new AsyncDisposableStack();
  const log = closing.use(openKafkaLog({ ...context, clock }));
  const source = await awaitSource(log, { ...context, clock });
  const store = source === undefined ? undefined : await awaitStore(source, context);
  if (source === undefined || store === undefined) return;
  closing.use(store);
  const market = serve({ log, symbols, intervals, clock, logger, signal });
  const server = closing.use(
    await createServer({
      ...{ market, store, intervals, host, port, allowedHosts, version, clock, logger, source },
      ...(accessToken === undefined ? {} : { accessToken }),
      dashboardDir: DASHBOARD_DIR,
      metrics: new Registry(),
      wish: (wish) => log.append([wishRecord(wish)]),
      stages: () => ({}),
      storeFault: () => undefined,
    }),
  );
  const url = await server.listen();
  logger.info({ url }, `Wickstream ${version} serves ${sourceLabel(source)} at ${url}`);
  await market.done;
}

/** The file is made by persist. */
async function awaitStore(
  source: Source,
  { config, logger, signal }: CommandContext,
): Promise<CandleStore | undefined> {
  let isTold = false;
  while (!signal.aborted) {
    const isThere =
      config.databaseUrl !== undefined || existsSync(storePath(config.dataDir, source));
    if (isThere) return openStoreToRead(config, source);
    if (!isTold) logger.info(`Waiting for persist to make the store in ${config.dataDir}`);
    isTold = true;
    await clock.sleep(STORE_POLL_MS, signal);
  }
  return undefined;
}

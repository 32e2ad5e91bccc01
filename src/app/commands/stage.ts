// One stage in a process of its own, over Kafka: `ingest`, `persist`, `audit`. `serve` has its own file, for it opens a port, and `aggregate`, for it needs so little.
import type { Source } from '../../core/market/source.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { addMs, DAY_MS, type EpochMs, MINUTE_MS } from '../../core/market/time.ts';
import type { StartPoint } from '../../feed/market-feed.ts';
import type { Log } from '../../log/log.ts';
import { OHLCV } from '../../protocol/topics.ts';
import { audit, auditCounts } from '../../stages/audit.ts';
import { ingest } from '../../stages/ingest.ts';
import { persist } from '../../stages/persist.ts';
import { chooseFeed, sourceLabel } from '../choose-feed.ts';
import { awaitSource, claimSource, openKafkaLog } from '../open-kafka.ts';
import { openStore } from '../open-store.ts';
import { readTail } from '../read-tail.ts';
import { countersOf } from '../run-stages.ts';
import { openStageProbes } from '../stage-probes.ts';
import { systemClock } from '../system-clock.ts';
import type { CommandContext } from './up.ts';

const clock = systemClock;
/** Of a symbol whose last candle is older, the trades since are history. */
const RESUME_REACH_MS = DAY_MS;

/** From a market into the topics. Safe to run twice: readers count each trade once, by its id. */
export async function ingestStage(context: CommandContext): Promise<void> {
  const { config, logger, signal } = context;
  const kafka = { ...context, clock };
  await using closing = new AsyncDisposableStack();
  const counts = { trades: 0, rejected: 0, history: 0 };
  let feedCounts = (): Readonly<Record<string, number>> => ({});
  const numbers = () => ({ ...counts, ...feedCounts() });
  const probes = closing.use(await openStageProbes('ingest', numbers, context));
  const log = closing.use(openKafkaLog(kafka, probes.outage));
  const { feed, notice, symbols = config.symbols } = await chooseFeed({ ...kafka });
  closing.use(feed);
  feedCounts = () => feed.counts?.() ?? {};
  if (notice !== undefined) logger.warn(notice);
  const { source } = feed;
  await claimSource(log, source, kafka);
  const startOf = await readEnds(log, source, signal);
  const starts = symbols.map(startOf);
  // A file has one writer, and that is persist; a database takes history from here as well.
  const hasDatabase = config.databaseUrl !== undefined;
  const store = hasDatabase
    ? { store: closing.use(await openStore(config, source, logger)) }
    : undefined;
  if (!hasDatabase) logger.info('History from before the start is left out without --database-url');
  logger.info(`Ingesting ${sourceLabel(source)}: ${symbols.join(', ')}`);
  probes.started();
  await ingest({
    ...{ feed, log, starts, clock, logger, signal },
    counters: countersOf(counts),
    ...store,
    startOf: async (symbol) => (await readEnds(log, source, signal))(symbol),
  });
}

/** A symbol goes on after its last minute that was published; a recording always plays from its beginning. */
async function readEnds(
  log: Log,
  source: Source,
  signal: AbortSignal,
): Promise<(symbol: MarketSymbol) => StartPoint> {
  const ends = new Map<string, EpochMs>();
  if (source.kind !== 'recording') {
    const since = addMs(clock.now(), -RESUME_REACH_MS);
    for (const { value } of await readTail({ log, topic: OHLCV['1m'], since, signal })) {
      const end = addMs(value.openTime, MINUTE_MS);
      if (end > (ends.get(value.symbol) ?? 0)) ends.set(value.symbol, end);
    }
  }
  return (symbol) => ({ symbol, resumeFrom: ends.get(symbol) });
}

export async function persistStage(context: CommandContext): Promise<void> {
  const { config, logger, signal } = context;
  const { intervals, keepSecondsMs, keepTradesMs } = config;
  await using closing = new AsyncDisposableStack();
  const probes = closing.use(await openStageProbes('persist', () => ({}), context));
  const log = closing.use(openKafkaLog({ ...context, clock }, probes.outage));
  const source = await awaitSource(log, { ...context, clock });
  if (source === undefined) return;
  const store = closing.use(await openStore(config, source, logger));
  probes.started();
  const trades = keepTradesMs === undefined ? {} : { keepTradesMs };
  await persist({ log, store, intervals, clock, keepSecondsMs, ...trades, logger, signal });
}

export async function auditStage(context: CommandContext): Promise<void> {
  const { config, logger, signal } = context;
  await using closing = new AsyncDisposableStack();
  const counts = auditCounts();
  const numbers = () => ({ ...counts });
  const probes = closing.use(await openStageProbes('audit', numbers, context));
  const log = closing.use(openKafkaLog({ ...context, clock }, probes.outage));
  const source = await awaitSource(log, { ...context, clock });
  if (source === undefined) return;
  const store = closing.use(await openStore(config, source, logger));
  probes.started();
  await audit({ log, store, counts, clock, logger, signal });
}

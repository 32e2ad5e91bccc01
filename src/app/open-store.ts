// The store of a source's candles: a file a source in the data directory, or the database that was chosen. Real and simulated never mix (I10).
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { AggregationSeed } from '../core/aggregation/aggregation-seed.ts';
import { DAYS_KEPT, MINUTES_KEPT, REVISIONS_KEPT } from '../core/aggregation/corrections.ts';
import type { Candle } from '../core/market/candle.ts';
import { DEFAULT_CALENDAR, INTERVALS } from '../core/market/interval.ts';
import type { RawTick } from '../core/market/raw-tick.ts';
import { type Source, sourceId } from '../core/market/source.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import { addMs, DAY_MS, type EpochMs, MINUTE_MS } from '../core/market/time.ts';
import { HISTORY_GAP_DAYS_MAX } from '../feed/binance/past.ts';
import type { StartPoint } from '../feed/market-feed.ts';
import type { CandleStore } from '../store/candle-store.ts';
import { StoreError } from '../store/candle-store.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Config } from './config.ts';

/** Seconds of minutes not over that a restart compares with its own: of more than are ever open at a crash. Later ones stay as they are. */
const UNPROVEN_SECONDS_MAX = 3_600;

export function storePath(dataDir: string, source: Source): string {
  return join(dataDir, `${sourceId(source).replace(/[^A-Za-z0-9.-]+/g, '-')}.db`);
}

export type StoreChoice = Pick<Config, 'dataDir' | 'databaseUrl'>;

/** Whether candles of that source are kept already: also where the file is of an older version, which opening it for writing will mend. */
export async function hasCandles(choice: StoreChoice, source: Source): Promise<boolean> {
  // A database has one source: whether it is that one is said where it is opened.
  if (choice.databaseUrl !== undefined) return true;
  const path = storePath(choice.dataDir, source);
  if (!existsSync(path)) return false;
  try {
    await using store = await openSqliteStore({ path, source, readOnly: true });
    return (await store.symbols()).length > 0;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'unwritable') return true;
    throw error;
  }
}

/**
 * The database that was chosen, else a file in the data directory.
 * @throws StoreError where it cannot be reached, made or used.
 */
export async function openStore(
  choice: StoreChoice,
  source: Source,
  logger: Pick<Logger, 'warn'>,
): Promise<CandleStore> {
  const { dataDir, databaseUrl: url } = choice;
  if (url !== undefined) {
    // Loaded when it is needed: the embedded store starts without it.
    const { openTimescaleStore } = await import('../store/timescale/timescale-store.ts');
    return openTimescaleStore({ url, source, onNotice: (notice) => logger.warn(notice) });
  }
  try {
    await mkdir(dataDir, { recursive: true });
  } catch (cause) {
    throw new StoreError(
      'unwritable',
      `The data directory ${dataDir} cannot be made (${messageOf(cause)}): choose another with --data-dir`,
      { cause },
    );
  }
  return openSqliteStore({ path: storePath(dataDir, source), source });
}

/**
 * What `openStore` opens, beside a process that writes it: nothing is made or changed.
 * @throws StoreError where there is nothing, or it cannot be used.
 */
export async function openStoreToRead(choice: StoreChoice, source: Source): Promise<CandleStore> {
  const { dataDir, databaseUrl: url } = choice;
  if (url !== undefined) {
    const { openTimescaleStore } = await import('../store/timescale/timescale-store.ts');
    return openTimescaleStore({ url, source, readOnly: true });
  }
  const path = storePath(dataDir, source);
  if (existsSync(path)) return openSqliteStore({ path, source, readOnly: true });
  throw new StoreError(
    'unwritable',
    `Expected candles of ${sourceId(source)} in "${path}", there is no such file: name the data directory with --data-dir`,
  );
}

/** Where each symbol's closed minutes in the store end. A recording always plays from its beginning. */
export async function readStarts(
  store: CandleStore,
  symbols: readonly MarketSymbol[],
  source: Source,
): Promise<StartPoint[]> {
  if (source.kind === 'recording') {
    return symbols.map((symbol) => ({ symbol, resumeFrom: undefined }));
  }
  const starts: StartPoint[] = [];
  for (const symbol of symbols) {
    const last = await store.lastOpenTime(symbol, '1m');
    if (last === undefined) starts.push({ symbol, resumeFrom: undefined });
    else {
      const resumeFrom = addMs(last, MINUTE_MS);
      starts.push({ symbol, resumeFrom, oldestHole: () => findHole(store, symbol, resumeFrom) });
    }
  }
  return starts;
}

/** Of the minutes kept before `to`, as far back as a feed fetches what was missed. Before the first one kept nothing is missing. */
async function findHole(
  store: CandleStore,
  symbol: MarketSymbol,
  to: EpochMs,
): Promise<EpochMs | undefined> {
  const from = Math.max(0, to - HISTORY_GAP_DAYS_MAX * DAY_MS) as EpochMs;
  const holes = await store.holes({ symbol, interval: '1m', from, to, limit: 2 });
  return holes.find((hole) => hole.from > from)?.from;
}

/**
 * Whether the records that begin with `first` leave no hole after `resumeFrom`: the feed goes on from
 * there, or its klines reach back that far. Otherwise the store's candles are the past, not a state.
 */
export function continues(first: RawTick, resumeFrom: EpochMs): boolean {
  if (first.type !== 'symbol') return false;
  return first.start.time <= resumeFrom || first.start.minutesFrom <= resumeFrom;
}

/** The closed candles before `resumeFrom` that an aggregation goes on from. */
export async function readSeed(
  store: CandleStore,
  symbol: MarketSymbol,
  resumeFrom: EpochMs,
): Promise<AggregationSeed> {
  const to = addMs(resumeFrom, -1);
  const read = (interval: '1m' | '1d', limit: number) =>
    store.read({ symbol, interval, to, limit, take: 'last' });
  const minutes = await read('1m', MINUTES_KEPT);
  const from = addMs(resumeFrom, -MINUTES_KEPT * MINUTE_MS);
  const days = await read('1d', DAYS_KEPT);
  return {
    threeDayAnchor: (await store.lastOpenTime(symbol, '3d')) ?? DEFAULT_CALENDAR.threeDayAnchor,
    minutes: minutes.filter(({ openTime }) => openTime >= from),
    days: days.filter(({ closeTime }) => closeTime < resumeFrom),
    corrected: await readCorrected(store, symbol, resumeFrom),
    unproven: await store.read({
      symbol,
      interval: '1s',
      from: resumeFrom,
      limit: UNPROVEN_SECONDS_MAX,
      take: 'first',
    }),
  };
}

/** What was corrected within the reach of further corrections: they go on from its revisions. */
async function readCorrected(
  store: CandleStore,
  symbol: MarketSymbol,
  resumeFrom: EpochMs,
): Promise<readonly Candle[]> {
  const corrected: Candle[] = [];
  for (const interval of INTERVALS) {
    // A minute that is repaired again corrects its seconds again.
    const reachMs = interval === '1s' ? MINUTES_KEPT * MINUTE_MS : DAYS_KEPT * DAY_MS;
    const from = Math.max(0, resumeFrom - reachMs) as EpochMs;
    const query = { symbol, interval, from, minRevision: 1, limit: REVISIONS_KEPT } as const;
    corrected.push(...(await store.read({ ...query, take: 'last' })));
  }
  return corrected;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

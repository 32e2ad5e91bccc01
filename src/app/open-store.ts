// The store of a source's candles in the data directory: one file a source, so that real and simulated never mix (I10).
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DAYS_KEPT, MINUTES_KEPT } from '../core/aggregation/corrections.ts';
import type { AggregationSeed } from '../core/aggregation/symbol-aggregation.ts';
import { DEFAULT_CALENDAR } from '../core/market/interval.ts';
import type { RawTick } from '../core/market/raw-tick.ts';
import { type Source, sourceId } from '../core/market/source.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import { addMs, type EpochMs, MINUTE_MS } from '../core/market/time.ts';
import type { StartPoint } from '../feed/market-feed.ts';
import type { CandleStore } from '../store/candle-store.ts';
import { StoreError } from '../store/candle-store.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';

export function storePath(dataDir: string, source: Source): string {
  return join(dataDir, `${sourceId(source).replace(/[^A-Za-z0-9.-]+/g, '-')}.db`);
}

export function hasStore(dataDir: string, source: Source): boolean {
  return existsSync(storePath(dataDir, source));
}

/** @throws StoreError where the directory cannot be made or its file cannot be used. */
export async function openStore(dataDir: string, source: Source): Promise<CandleStore> {
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

/** Where each symbol's closed minutes in the store end. */
export async function readStarts(
  store: CandleStore,
  symbols: readonly MarketSymbol[],
): Promise<StartPoint[]> {
  const starts: StartPoint[] = [];
  for (const symbol of symbols) {
    const last = await store.lastOpenTime(symbol, '1m');
    starts.push({ symbol, resumeFrom: last === undefined ? undefined : addMs(last, MINUTE_MS) });
  }
  return starts;
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
    corrected: [],
  };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// The store's candles → a file: CSV (plain or gzipped) or Parquet, exact, all symbols and intervals asked for. The file appears when it is whole; none is overwritten.
import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Candle } from '../../core/market/candle.ts';
import type { Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { addMs, type EpochMs, epochMs } from '../../core/market/time.ts';
import { CANDLE_CSV_HEADING, encodeCandleCsv } from '../../protocol/candle-csv.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import { FileError } from './file-error.ts';

/** Candles read from the store at once. */
export const EXPORT_READ_CANDLES = 10_000;

export interface ExportOptions {
  readonly path: string;
  readonly store: CandleStore;
  /** `sourceId` of the store. */
  readonly market: string;
  readonly symbols: readonly MarketSymbol[];
  readonly intervals: readonly Interval[];
  /** Least and greatest openTime, both inclusive. */
  readonly from?: EpochMs;
  readonly to?: EpochMs;
  readonly onProgress: (candles: number) => void;
  readonly signal: AbortSignal;
}

export const EXPORT_FORMS = ['.csv', '.csv.gz', '.parquet'] as const;

/** How many candles were written. @throws FileError where the name has another ending or the file is there; StoreError; the signal's reason. */
export async function exportCandles(options: ExportOptions): Promise<number> {
  const { path } = options;
  if (!EXPORT_FORMS.some((ending) => path.endsWith(ending))) {
    throw new FileError(`Expected a file name ending in ${EXPORT_FORMS.join(', ')}, was "${path}"`);
  }
  if (existsSync(path)) {
    throw new FileError(`${path} is there already: nothing is overwritten, choose another name`);
  }
  const part = `${path}.part`;
  try {
    const count = path.endsWith('.parquet')
      ? await exportParquet(part, options)
      : await exportCsv(part, options);
    await rename(part, path);
    return count;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function exportCsv(part: string, options: ExportOptions): Promise<number> {
  let count = 0;
  async function* text(): AsyncGenerator<string> {
    yield `${CANDLE_CSV_HEADING}\n`;
    for await (const page of candlePages(options)) {
      count += page.length;
      options.onProgress(count);
      yield `${page.map((candle) => encodeCandleCsv(options.market, candle)).join('\n')}\n`;
    }
  }
  const pack = options.path.endsWith('.gz') ? createGzip() : new PassThrough();
  await pipeline(Readable.from(text()), pack, createWriteStream(part), { signal: options.signal });
  return count;
}

async function exportParquet(part: string, options: ExportOptions): Promise<number> {
  // Loaded when it is needed.
  const { openCandleParquet } = await import('./candle-parquet.ts');
  const file = openCandleParquet(part, options.market);
  let count = 0;
  for await (const page of candlePages(options)) {
    await file.write(page);
    count += page.length;
    options.onProgress(count);
  }
  await file.finish();
  return count;
}

/** Symbol by symbol, interval by interval, ascending. */
async function* candlePages(options: ExportOptions): AsyncGenerator<readonly Candle[]> {
  for (const symbol of options.symbols) {
    for (const interval of options.intervals) yield* seriesPages(options, symbol, interval);
  }
}

async function* seriesPages(
  { store, from, to, signal }: ExportOptions,
  symbol: MarketSymbol,
  interval: Interval,
): AsyncGenerator<readonly Candle[]> {
  const end = to === undefined ? {} : { to };
  for (let next = from ?? epochMs(0); ; ) {
    signal.throwIfAborted();
    const query = { symbol, interval, from: next, ...end, limit: EXPORT_READ_CANDLES } as const;
    const page = await store.read({ ...query, take: 'first' });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    next = addMs(last.openTime, 1);
  }
}

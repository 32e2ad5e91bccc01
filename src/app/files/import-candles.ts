// Files of candles → the store: the exchange's published klines, with every longer candle they make whole, and what `export` wrote. Replaces nothing that is there.
import { type HistoryRollUp, historyRollUp } from '../../core/aggregation/history-roll-up.ts';
import type { Candle } from '../../core/market/candle.ts';
import { DEFAULT_CALENDAR, type Interval } from '../../core/market/interval.ts';
import { type Source, sourceId } from '../../core/market/source.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { addMs, type EpochMs } from '../../core/market/time.ts';
import { readKlineFile } from '../../feed/binance/kline-file.ts';
import { CANDLE_CSV_HEADING, decodeCandleCsv } from '../../protocol/candle-csv.ts';
import { writeInRange } from '../../stages/write-candles.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import { calendarOf } from '../../store/stored-calendar.ts';
import { FileError } from './file-error.ts';
import type { CandleFile, KlineFile } from './list-files.ts';
import { readLines } from './read-lines.ts';

/** Candles in one write: a kill loses at most so many, and the next run brings them again. */
export const IMPORT_WRITE_CANDLES = 5_000;

export interface ImportCounts {
  read: number;
  /** Longer candles made of minutes. */
  rolledUp: number;
  /** Beyond the store's range: told one by one to `onRefused`. */
  refused: number;
}

export interface ImportOptions {
  /** Kline files of one symbol and interval in order of time. */
  readonly files: readonly CandleFile[];
  readonly store: CandleStore;
  readonly source: Source;
  /** Longer candles that are made. */
  readonly intervals: readonly Interval[];
  readonly onFile: (file: CandleFile, counts: Readonly<ImportCounts>) => void;
  readonly onRefused: (message: string) => void;
  readonly signal: AbortSignal;
}

/** @throws FeedError, FileError naming the file and the line; StoreError. What was written before stays. */
export async function importCandles(options: ImportOptions): Promise<Readonly<ImportCounts>> {
  const counts: ImportCounts = { read: 0, rolledUp: 0, refused: 0 };
  const write = batchWriter(options, counts);
  const series = new Map<MarketSymbol, MinuteSeries>();
  for (const file of options.files) {
    if (options.signal.aborted) break;
    for await (const candles of candlesOf(file, options)) {
      counts.read += candles.length;
      await write(candles);
      if (file.type === 'klines' && file.interval === '1m') {
        await write(await rollUp(file, candles));
      }
      if (options.signal.aborted) break;
    }
    if (file.type === 'klines' && !options.signal.aborted) await write(endOf(file));
    options.onFile(file, counts);
  }
  await write([], 'rest');
  return counts;

  async function rollUp(file: KlineFile, minutes: readonly Candle[]): Promise<readonly Candle[]> {
    const [first] = minutes;
    if (first === undefined) return [];
    const own = series.get(file.symbol) ?? (await startSeries(options, file, first));
    series.set(file.symbol, own);
    if (own.file !== file) continueSeries(own, file, first);
    const longer = minutes.flatMap((minute) => own.rollUp.add(minute));
    own.to = addMs(minutes.at(-1)?.closeTime ?? first.closeTime, 1);
    counts.rolledUp += longer.length;
    return longer;
  }

  function endOf(file: KlineFile): readonly Candle[] {
    const own = series.get(file.symbol);
    if (own === undefined || own.file !== file) return [];
    own.to = file.to ?? own.to;
    const longer = own.rollUp.knownTo(own.to);
    counts.rolledUp += longer.length;
    return longer;
  }
}

/** The minutes of a symbol, file after file. */
interface MinuteSeries {
  readonly rollUp: HistoryRollUp;
  file: KlineFile;
  /** Known up to here without a hole. */
  to: EpochMs;
}

async function startSeries(
  { store, intervals }: ImportOptions,
  file: KlineFile,
  first: Candle,
): Promise<MinuteSeries> {
  const { symbol } = file;
  const calendar = await calendarOf(store, symbol, '3d');
  const made = calendar === undefined ? intervals.filter((each) => each !== '3d') : intervals;
  const from = file.from ?? first.openTime;
  const rollUp = historyRollUp(made, calendar ?? DEFAULT_CALENDAR, from);
  return { rollUp, file, to: from };
}

function continueSeries(own: MinuteSeries, file: KlineFile, first: Candle): void {
  const from = file.from ?? first.openTime;
  if (from !== own.to) own.rollUp.knownFrom(from);
  own.file = file;
}

async function* candlesOf(
  file: CandleFile,
  { source }: ImportOptions,
): AsyncGenerator<readonly Candle[], void, undefined> {
  const lines = readLines(file.path);
  if (file.type === 'klines') yield* readKlineFile({ ...file, lines });
  else yield* readExport(file.path, lines, sourceId(source));
}

async function* readExport(
  path: string,
  lists: AsyncIterable<readonly string[]>,
  market: string,
): AsyncGenerator<readonly Candle[], void, undefined> {
  let number = 0;
  for await (const lines of lists) {
    yield lines.flatMap((line) => {
      number += 1;
      if (number === 1 && line === CANDLE_CSV_HEADING) return [];
      const candle = decodeCandleCsv(line, market);
      if (candle !== undefined) return [candle];
      throw new FileError(
        `Expected candles of ${market} in ${path}, line ${number} is "${line.slice(0, 200)}": candles of another market go into another database`,
      );
    });
  }
}

type Write = (candles: readonly Candle[], rest?: 'rest') => Promise<void>;

/** Gathers candles until they are worth a write. */
function batchWriter({ store, onRefused }: ImportOptions, counts: ImportCounts): Write {
  let held: Candle[] = [];
  return async (candles, rest) => {
    for (const candle of candles) held.push(candle);
    if (held.length < IMPORT_WRITE_CANDLES && rest === undefined) return;
    const batch = held;
    held = [];
    for (const { error } of await writeInRange(store, batch)) {
      counts.refused += 1;
      onRefused(error.message);
    }
  };
}

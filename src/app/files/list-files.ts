// Which files of candles the user means, and what each holds: by the exchange's naming, by what the user says, or by the heading `export` writes.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { EpochMs } from '../../core/market/time.ts';
import { parseKlineFileName } from '../../feed/binance/kline-file.ts';
import { CANDLE_CSV_HEADING } from '../../protocol/candle-csv.ts';
import { FileError } from './file-error.ts';
import { readLines } from './read-lines.ts';

export interface KlineFile {
  readonly type: 'klines';
  readonly path: string;
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  /** The span the file holds, whole; undefined: what its rows span. */
  readonly from?: EpochMs;
  readonly to?: EpochMs;
}

export type CandleFile = KlineFile | { readonly type: 'export'; readonly path: string };

/** What the user says of files whose names say nothing. */
export interface GivenKlines {
  readonly symbol: MarketSymbol | undefined;
  readonly interval: Interval | undefined;
}

const IS_CANDLES = /\.(csv|csv\.gz|zip)$/;

/**
 * The files, those of klines in order of symbol, interval and time. A folder stands for the files in it.
 * @throws FileError where a path cannot be read, or nobody says what it holds.
 */
export async function listFiles(
  paths: readonly string[],
  given: GivenKlines,
): Promise<readonly CandleFile[]> {
  const files: CandleFile[] = [];
  for (const path of paths) {
    for (const one of await filesAt(path)) files.push(await describe(one, given));
  }
  return files.sort((a, b) => compare(orderOf(a), orderOf(b)));
}

async function filesAt(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => IS_CANDLES.test(name)).sort();
    if (names.length === 0) throw new FileError(`Expected .csv, .csv.gz or .zip files in ${path}`);
    return names.map((name) => join(path, name));
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FileError(`Expected a file or a folder of candles: ${reason}`, { cause });
  }
}

async function describe(path: string, given: GivenKlines): Promise<CandleFile> {
  const name = parseKlineFileName(path);
  const symbol = given.symbol ?? name?.symbol;
  const interval = given.interval ?? name?.interval;
  if (symbol !== undefined && interval !== undefined) {
    const span = name === undefined ? {} : { from: name.from, to: name.to };
    return { type: 'klines', path, symbol, interval, ...span };
  }
  for await (const [first] of readLines(path)) {
    if (first === CANDLE_CSV_HEADING) return { type: 'export', path };
    break;
  }
  throw new FileError(
    `Expected a name such as BTCUSDT-1m-2023-01.csv.gz, was ${path}: say what it holds with --symbol and --interval`,
  );
}

/** Codes of letters and digits alone: the order is the same everywhere. */
function orderOf(file: CandleFile): string {
  if (file.type === 'export') return '';
  const from = String(file.from ?? 0).padStart(15, '0');
  return `${file.symbol} ${file.interval} ${from}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

// The exchange's published kline files (`BTCUSDT-1m-2023-01.zip`, `.csv`, `.csv.gz`): times in ms or µs, with a heading or without. A row that is no kline ends the reading, with its line.
import { basename } from 'node:path';
import type { Candle } from '../../core/market/candle.ts';
import {
  DEFAULT_CALENDAR,
  type Interval,
  isInterval,
  nextOpenTime,
  openTimeOf,
} from '../../core/market/interval.ts';
import { type MarketSymbol, parseMarketSymbol } from '../../core/market/symbol.ts';
import { addMs, DAY_MS, EPOCH_MS_MAX, type EpochMs, epochMs } from '../../core/market/time.ts';
import { FeedError } from '../market-feed.ts';
import { readRow } from './kline-rows.ts';

/** What a file's name says, in the exchange's own form. */
export interface KlineFileName {
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  /** The day or month the file holds, whole. */
  readonly from: EpochMs;
  readonly to: EpochMs;
}

const NAME = /^([^-]+)-([0-9]+[a-zA-Z]+)-(\d{4})-(\d{2})(?:-(\d{2}))?\.(?:csv|csv\.gz|zip)$/;

/** Undefined where the name has another form. */
export function parseKlineFileName(path: string): KlineFileName | undefined {
  const [, name = '', length = '', year, month, day] = NAME.exec(basename(path)) ?? [];
  const symbol = parseMarketSymbol(name);
  // A month is `1mo` in file names, for systems that do not tell m from M.
  const interval = length === '1mo' ? '1M' : length;
  if (symbol === undefined || !isInterval(interval)) return undefined;
  const start = Date.parse(`${year}-${month}-${day ?? '01'}T00:00:00Z`);
  if (Number.isNaN(start)) return undefined;
  const from = epochMs(start);
  return {
    symbol,
    interval,
    from,
    to: day === undefined ? nextOpenTime('1M', from) : addMs(from, DAY_MS),
  };
}

export interface KlineLines {
  /** For messages. */
  readonly path: string;
  readonly lines: AsyncIterable<readonly string[]>;
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
}

/**
 * Closed candles, ascending, source `klines`; a list for each list of lines.
 * @throws FeedError `bad-file` naming the file and the line.
 */
export async function* readKlineFile(
  file: KlineLines,
): AsyncGenerator<readonly Candle[], void, undefined> {
  let number = 0;
  let last = -1;
  const read = (line: string): Candle | undefined => {
    number += 1;
    if (line === '' || (number === 1 && /^[a-z_]/i.test(line))) return undefined;
    const candle = readLine(line, file);
    if (candle === undefined || candle.openTime <= last) throw badLine(file, number, line);
    last = candle.openTime;
    return candle;
  };
  for await (const lines of file.lines) {
    yield lines.map(read).filter((candle) => candle !== undefined);
  }
}

function badLine({ path, symbol, interval }: KlineLines, number: number, line: string): FeedError {
  return new FeedError(
    'bad-file',
    `Expected ${interval} klines of ${symbol} in order in ${path}, line ${number} is "${line.slice(0, 200)}"; fetch the file again, or say what it holds with --symbol and --interval`,
  );
}

function readLine(line: string, of: KlineLines): Candle | undefined {
  const fields = line.split(',');
  const [
    time = '',
    open,
    high,
    low,
    close,
    volume,
    closeTime = '',
    quoteVolume,
    trades = '',
    ...taker
  ] = fields;
  if (fields.length < 11 || !/^\d+$/.test(trades)) return undefined;
  const openTime = inMs(time);
  const row = [openTime, open, high, low, close, volume, 0, quoteVolume, Number(trades), ...taker];
  const candle = readRow(row, of);
  if (candle === undefined || !isWindow(candle)) return undefined;
  // Around outages the exchange cut some candles short: earlier is well, later is another interval's.
  const end = Math.floor(Number(closeTime) / (time.length > 14 ? 1_000 : 1));
  return end <= candle.closeTime ? candle : undefined;
}

/** From 2025 on the files have µs. NaN where it is no whole number of ms. */
function inMs(text: string): number {
  if (!/^\d{1,16}$/.test(text)) return Number.NaN;
  const time = Number(text);
  return time <= EPOCH_MS_MAX ? time : time / 1_000;
}

function isWindow({ interval, openTime }: Candle): boolean {
  // The 3d grid is each symbol's own: any day may open one.
  const grid = interval === '3d' ? '1d' : interval;
  return openTimeOf(grid, openTime, DEFAULT_CALENDAR) === openTime;
}

// Loaders for real market data, which is not part of the repository. Each returns `undefined` where
// the file is missing; none of them guesses at a format it does not know.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { toPlaces } from './decimal.ts';
import type { AggTrade, TruthCandle } from './truth.ts';

/** Where the real data is, if it is here. */
export const SHARED_DATA = join(import.meta.dirname, '..', '..', '..', 'shared', 'data');

/** Sixteen digits are microseconds. */
const MICROSECONDS_MIN = 1e15;

/** Whether the real data is there. Tests skip without it, except in CI, where that is a failure. */
export function hasRecordedData(): boolean {
  return existsSync(SHARED_DATA);
}

/** `skip` option of a test that needs real data. */
export function skipWithoutData(): string | false {
  if (hasRecordedData() || process.env['CI'] === 'true') return false;
  return '../shared/data is not here';
}

/** 5,000 BTCUSDT spot aggregate trades from 2026-01-01 00:00 UTC on, 12 minutes. */
export function recordedBtcTrades(): AggTrade[] | undefined {
  return rows('trades/BTCUSDT-aggTrades-2026-01-01.csv')?.map(
    ([a = '', p = '', q = '', f = '', l = '', T = '', m = '']) => ({
      a: Number(a),
      p: toPlaces(p),
      q: toPlaces(q),
      f: Number(f),
      l: Number(l),
      T: toMs(T),
      m: m.toLowerCase() === 'true',
    }),
  );
}

const TRX = 'TRXUSDT-um';

/**
 * Eight whole minutes of TRXUSDT (2025-03-04 00:00 UTC), each single trade as an aggregate of one.
 * Placeholders (price 0, or not of the market) are left out: they are in no candle.
 */
export function recordedTrxTrades(): AggTrade[] | undefined {
  return rows(`trades/${TRX}-trades-2025-03-04-0000-0008.csv`)
    ?.slice(1)
    .filter((row) => Number(row[7]) !== 0 && row[10] === 'MARKET')
    .map((row) => {
      const id = Number(row[6]);
      const [price = '', quantity = ''] = [row[7], row[8]];
      return {
        a: id,
        p: toPlaces(price),
        q: toPlaces(quantity),
        f: id,
        l: id,
        T: toMs(row[4] ?? ''),
        m: row[9] === '1',
      };
    });
}

/** The exchange's own 1m candles of {@link recordedTrxTrades}; ids are −1: not in the file. */
export function recordedTrxKlines(): TruthCandle[] | undefined {
  return rows(`klines/${TRX}-1m-2025-03-04-0000-0008.csv`)?.slice(1).map(rowToCandle);
}

/** BTCUSDT spot 1m of a month, `2023-01` – `2025-08`; of `[from, to)` (ms) only, if given. */
export function recordedBtcMinutes(
  month: string,
  from = -Infinity,
  to = Infinity,
): TruthCandle[] | undefined {
  return rows(`klines/BTCUSDT_1m/BTCUSDT-1m-${month}.csv.gz`)
    ?.filter(([openTime = '']) => toMs(openTime) >= from && toMs(openTime) < to)
    .map(rowToCandle);
}

/** BTCUSDT spot 15m of the week that begins on `2025-07-28` or `2025-12-29`. */
export function recordedBtcQuarters(week: string): TruthCandle[] | undefined {
  return json(`klines/BTCUSDT_15m_${week}.json`)?.map(rowToCandle);
}

/** BTCUSDT spot 1h of all months there are (2022 – 2025, 2025-08 is missing), oldest first. */
export function recordedBtcHours(): TruthCandle[] | undefined {
  const folder = 'klines/BTCUSDT_1h';
  if (!existsSync(join(SHARED_DATA, folder))) return undefined;
  const files = readdirSync(join(SHARED_DATA, folder)).sort();
  return files.flatMap((file) => json(`${folder}/${file}`)?.map(rowToCandle) ?? []);
}

/** A real REST answer of 2020, `data` as it was but for its key order. */
export function recordedAnswer(
  name: string,
): { path: string; query: string; data: unknown } | undefined {
  const text = textOf(`rest/${name}.json`);
  return text === undefined ? undefined : JSON.parse(text);
}

/** The frames of a real capture: `BINANCE` or `BINANCE_US`, 2021. */
export function recordedFrames(venue: 'BINANCE' | 'BINANCE_US'): string[] | undefined {
  return textOf(`ws/${venue}.ws.1.0`)
    ?.split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.slice(line.indexOf('{')));
}

/** A kline of 12 columns, as REST or the monthly files give it. */
export function rowToCandle(row: readonly (string | number)[]): TruthCandle {
  const text = (index: number) => toPlaces(String(row[index] ?? ''));
  return {
    openTime: toMs(row[0] ?? ''),
    // Microseconds end in …999: whole ms by rounding down.
    closeTime: toMs(row[6] ?? ''),
    open: text(1),
    high: text(2),
    low: text(3),
    close: text(4),
    volume: text(5),
    quoteVolume: text(7),
    trades: Number(row[8]),
    takerBuyVolume: text(9),
    takerBuyQuoteVolume: text(10),
    firstTradeId: -1,
    lastTradeId: -1,
  };
}

function toMs(value: string | number): number {
  const time = Number(value);
  return time >= MICROSECONDS_MIN ? Math.floor(time / 1_000) : time;
}

function rows(path: string): string[][] | undefined {
  const lines = textOf(path)?.split('\n');
  return lines?.filter((line) => line !== '').map((line) => line.trimEnd().split(','));
}

function json(path: string): (string | number)[][] | undefined {
  const text = textOf(path);
  return text === undefined ? undefined : JSON.parse(text);
}

function textOf(path: string): string | undefined {
  const file = join(SHARED_DATA, path);
  if (!existsSync(file)) return undefined;
  const bytes = readFileSync(file);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

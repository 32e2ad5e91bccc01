// The judge of a chaos run: reads the candles with a client that is not ours (kcat, read_committed) and compares them with the naive truth.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { INTERVALS, type Interval } from '../../../src/core/market/interval.ts';
import { truthCandles } from '../../fake-exchange/truth.ts';
import { ANCHOR, endOf, type MarketShape, symbolNames, tradesOf } from './market.ts';

const OUTPUT_BYTES_MAX = 1_024 ** 3;

interface Row {
  readonly symbol: string;
  readonly openTime: number;
  readonly revision: number;
  readonly [field: string]: unknown;
}

export interface Verdict {
  readonly candles: number;
  readonly expected: number;
  /** A few of each kind, as text; empty where all is right. */
  readonly faults: readonly string[];
}

/** How many candles there are now; cheap enough to ask again and again. */
export async function countCandles(servers: string, prefix: string, interval: Interval) {
  return (await readTopic(servers, `${prefix}ohlcv_${interval}`)).length;
}

export function expectedOf(shape: MarketShape, interval: Interval) {
  const to = endOf(shape);
  return symbolNames(shape.symbols).flatMap((symbol, index) =>
    truthCandles(tradesOf(shape, index), interval, { anchor: ANCHOR, to })
      .filter(({ closeTime }) => closeTime < to)
      .map((candle) => ({ symbol, ...candle })),
  );
}

export async function judge(servers: string, prefix: string, shape: MarketShape): Promise<Verdict> {
  const faults: string[] = [];
  let candles = 0;
  let expectedCount = 0;
  for (const interval of INTERVALS) {
    const rows = await readTopic(servers, `${prefix}ohlcv_${interval}`);
    const expected = expectedOf(shape, interval);
    candles += rows.length;
    expectedCount += expected.length;
    faults.push(...compare(interval, rows, expected));
  }
  return { candles, expected: expectedCount, faults: faults.slice(0, 20) };
}

function compare(
  interval: Interval,
  rows: readonly Row[],
  expected: readonly ({ readonly symbol: string; readonly openTime: number } & object)[],
): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  const newest = new Map<string, Row>();
  for (const row of rows) {
    const identity = `${interval} ${row.symbol} ${new Date(row.openTime).toISOString()}`;
    const published = `${identity} revision ${row.revision}`;
    if (seen.has(published)) faults.push(`twice: ${published}`);
    seen.add(published);
    if ((newest.get(identity)?.revision ?? -1) < row.revision) newest.set(identity, row);
  }
  for (const candle of expected) {
    const identity = `${interval} ${candle.symbol} ${new Date(candle.openTime).toISOString()}`;
    const found = newest.get(identity);
    newest.delete(identity);
    if (found === undefined) faults.push(`missing: ${identity}`);
    else {
      const wrong = Object.entries(candle).filter(([field, value]) => found[field] !== value);
      for (const [field, value] of wrong) {
        faults.push(
          `wrong: ${identity} ${field} ${String(found[field])}, expected ${String(value)}`,
        );
      }
    }
  }
  for (const identity of newest.keys()) faults.push(`unexpected: ${identity}`);
  return faults;
}

async function readTopic(servers: string, topic: string): Promise<Row[]> {
  const { stdout } = await promisify(execFile)(
    'kcat',
    ['-C', '-q', '-e', '-b', servers, '-t', topic, '-X', 'isolation.level=read_committed'],
    { maxBuffer: OUTPUT_BYTES_MAX },
  );
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : (JSON.parse(line) as Row)));
}

// A page of the chart over HTTP, 1,000 candles before any time, at each interval, from years of 1m candles: where every interval is kept, and where only minutes are.
// Usage: npm run bench:pages -- [years]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { historyRollUp } from '../src/core/aggregation/history-roll-up.ts';
import type { Candle } from '../src/core/market/candle.ts';
import { DEFAULT_CALENDAR, INTERVALS, type Interval } from '../src/core/market/interval.ts';
import type { Source } from '../src/core/market/source.ts';
import { addMs, DAY_MS, epochMs, MINUTE_MS } from '../src/core/market/time.ts';
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts';
import { BTCUSDT, candleAt } from '../test/contracts/candle-store-contract.ts';
import { seededRandom } from '../test/fake-exchange/random.ts';
import { startHistoryServer } from './history-server.ts';
import { machineLine, percentile } from './machine.ts';

const YEARS = Number(process.argv[2] ?? 5);
const PAGES = 60;
const WRITE_ROWS = 5_000;
const START = epochMs(Date.UTC(2021, 0, 1));
const DAYS = Math.round(YEARS * 365.25);
const source: Source = { kind: 'simulated', seed: 1 };

console.log(machineLine());
console.log(
  `${DAYS * 1_440} minutes of BTCUSDT in SQLite; ms for a page of up to 1,000 over HTTP, ${PAGES} anywhere, and the CPU time of server and client together`,
);
const folder = mkdtempSync(join(tmpdir(), 'bench-pages-'));
try {
  await measure('every interval kept', INTERVALS);
  await measure('only minutes kept: longer ones are made for the page', ['1m']);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(name: string, intervals: readonly Interval[]): Promise<void> {
  await using store = await openSqliteStore({ path: join(folder, `${name}.db`), source });
  await fill(intervals, (candles) => store.write(candles));
  await using server = await startHistoryServer(store, BTCUSDT, source);
  console.log(`\n${name}`);
  const random = seededRandom(3);
  const all: number[] = [];
  const allCpu: number[] = [];
  for (const interval of INTERVALS.slice(1)) {
    const times: number[] = [];
    const cpuTimes: number[] = [];
    let rows = 0;
    for (let turn = 0; turn < PAGES; turn++) {
      const before = addMs(START, Math.floor((0.1 + 0.9 * random()) * DAYS * DAY_MS));
      const query = `symbol=BTCUSDT&interval=${interval}&before=${before}&limit=1000`;
      const startedAt = performance.now();
      const cpuBefore = process.cpuUsage();
      const page = await (await fetch(`${server.url}/api/v1/candles?${query}`)).json();
      times.push(performance.now() - startedAt);
      const { user, system } = process.cpuUsage(cpuBefore);
      cpuTimes.push((user + system) / 1_000);
      rows += page.candles.length;
    }
    all.push(...times);
    allCpu.push(...cpuTimes);
    console.log(
      `  ${interval.padEnd(4)} ${line(times)}; CPU ${line(cpuTimes)}; ${Math.round(rows / PAGES)} candles`,
    );
  }
  console.log(`  all  ${line(all)}; CPU ${line(allCpu)}`);
}

function line(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  return [0.5, 0.99]
    .map((share) => `p${share * 100} ${percentile(sorted, share).toFixed(1).padStart(6)}`)
    .join(', ');
}

/** A walk in cents; volumes of 5 places. */
async function fill(
  intervals: readonly Interval[],
  write: (candles: readonly Candle[]) => Promise<void>,
): Promise<void> {
  const random = seededRandom(1);
  const rollUp = historyRollUp(intervals, DEFAULT_CALENDAR, START);
  let price = 8_764_821;
  let batch: Candle[] = [];
  for (let index = 0; index < DAYS * 1_440; index++) {
    const open = price;
    price += Math.round((random() - 0.5) * 4_000);
    const minute = candleAt(0, {
      openTime: addMs(START, index * MINUTE_MS),
      open: cents(open),
      high: cents(Math.max(open, price) + 100),
      low: cents(Math.min(open, price) - 100),
      close: cents(price),
      volume: BigInt(Math.floor(random() * 1_500_000)) * 1_000n,
      source: 'klines',
    });
    batch.push(minute, ...rollUp.add(minute));
    if (batch.length < WRITE_ROWS) continue;
    await write(batch);
    batch = [];
  }
  await write(batch);
}

function cents(value: number): bigint {
  return BigInt(value) * 1_000_000n;
}

// The stores side by side: rows a second live (upserts of 50) and in bulk, last 1,000, a year of 1h, any interval at any zoom, bytes a candle, memory. Made-up candles of BTCUSDT's digits.
// Usage: npm run bench:store -- [months of 1m]; TIMESCALE_URL: a server of your own besides.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { historyRollUp } from '../src/core/aggregation/history-roll-up.ts';
import type { Candle } from '../src/core/market/candle.ts';
import { DEFAULT_CALENDAR, INTERVALS, type Interval } from '../src/core/market/interval.ts';
import type { Source } from '../src/core/market/source.ts';
import { addMs, DAY_MS, epochMs } from '../src/core/market/time.ts';
import type { CandleStore } from '../src/store/candle-store.ts';
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts';
import { openTimescaleStore } from '../src/store/timescale/timescale-store.ts';
import { BTCUSDT, candleAt } from '../test/contracts/candle-store-contract.ts';
import { seededRandom } from '../test/fake-exchange/random.ts';
import {
  debianPostgresPrograms,
  startDebianPostgres,
} from '../test/integration/servers/debian-postgres.ts';
import { execute } from '../test/integration/servers/test-database.ts';
import { startTimescaleWasm } from '../test/integration/servers/timescale-wasm.ts';
import { machineLine, percentile } from './machine.ts';

const MONTHS = Number(process.argv[2] ?? 12);
const BULK_ROWS = 5_000;
const LIVE_ROWS = 50;
const LIVE_WRITES = 200;
const READS = 60;
const PRICE = 8_764_821;
/** In cents; every store gets the same walk. */
let price = PRICE;
const START = epochMs(Date.UTC(2021, 0, 1));
const source: Source = { kind: 'simulated', seed: 1 };

interface Bench {
  readonly name: string;
  readonly store: CandleStore;
  /** After its own upkeep (compression, vacuum): bytes on disk. */
  readonly diskBytes: () => Promise<number>;
}

console.log(machineLine());
console.log(`${MONTHS} months of 1m and all that follows from them; times in ms`);
const folder = mkdtempSync(join(tmpdir(), 'bench-store-'));
try {
  await measure(await sqlite());
  const programs = debianPostgresPrograms();
  if (programs !== undefined) {
    await using server = await startDebianPostgres(programs);
    await measure(await database('PostgreSQL', server.url));
  }
  {
    await using server = await startTimescaleWasm(join(folder, 'wasm'));
    await measure(await database('TimescaleDB (WASM)', server.url, server.connections));
  }
  const real = process.env['TIMESCALE_URL'];
  if (real !== undefined) await measure(await database('TIMESCALE_URL', real));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure({ name, store, diskBytes }: Bench): Promise<void> {
  const random = seededRandom(3);
  const bulk = await bulkWrite(store);
  const live = await liveWrite(store);
  const bytes = await diskBytes();
  const end = addMs(START, MONTHS * 30 * DAY_MS);
  const at = () => epochMs(START + Math.floor(random() * (end - START)));
  const last = await reads(() => read(store, '1m', { take: 'last', limit: 1_000 }));
  const year = await reads(() => read(store, '1h', { take: 'last', limit: 8_760 }));
  const zooms = INTERVALS.slice(1);
  let turn = 0;
  const zoom = await reads(() => {
    turn += 1;
    return read(store, zooms[turn % zooms.length] ?? '1m', {
      to: at(),
      take: 'last',
      limit: 1_000,
    });
  });
  const memory = Math.round(process.memoryUsage().rss / 1_048_576);
  console.log(
    [
      `\n${name}: bulk ${Math.round(bulk.rate)} rows/s, live ${Math.round(live)} rows/s`,
      `last 1,000: ${last}`,
      `a year of 1h: ${year}`,
      `1,000 of any interval anywhere: ${zoom}`,
      `${(bytes / (bulk.rows + LIVE_ROWS * LIVE_WRITES)).toFixed(1)} bytes a candle, ${memory} MiB resident (this process)`,
    ].join('\n  '),
  );
  await store[Symbol.asyncDispose]();
}

/** Only the store's time counts, not the making of the candles. */
async function bulkWrite(store: CandleStore): Promise<{ rate: number; rows: number }> {
  price = PRICE;
  let ms = 0;
  let rows = 0;
  let batch: Candle[] = [];
  const write = async (): Promise<void> => {
    const startedAt = performance.now();
    await store.write(batch);
    ms += performance.now() - startedAt;
    rows += batch.length;
    batch = [];
  };
  for (const candle of history()) {
    batch.push(candle);
    if (batch.length === BULK_ROWS) await write();
  }
  await write();
  return { rate: (rows / ms) * 1_000, rows };
}

async function liveWrite(store: CandleStore): Promise<number> {
  const random = seededRandom(5);
  const first = MONTHS * 30 * 1_440;
  const startedAt = performance.now();
  for (let write = 0; write < LIVE_WRITES; write++) {
    const from = first + write * LIVE_ROWS;
    const rows = Array.from({ length: LIVE_ROWS }, (_, index) => minuteAt(from + index, random));
    await store.write(rows);
  }
  return (LIVE_ROWS * LIVE_WRITES * 1_000) / (performance.now() - startedAt);
}

async function reads(act: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let turn = 0; turn < READS; turn++) {
    const startedAt = performance.now();
    await act();
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  return `p50 ${percentile(times, 0.5).toFixed(1)}, p99 ${percentile(times, 0.99).toFixed(1)}`;
}

function read(
  store: CandleStore,
  interval: Interval,
  query: Omit<Parameters<CandleStore['read']>[0], 'symbol' | 'interval'>,
): Promise<unknown> {
  return store.read({ symbol: BTCUSDT, interval, ...query });
}

function* history(): Generator<Candle> {
  const random = seededRandom(1);
  const rollUp = historyRollUp(INTERVALS, DEFAULT_CALENDAR, START);
  for (let index = 0; index < MONTHS * 30 * 1_440; index++) {
    const minute = minuteAt(index, random);
    yield minute;
    yield* rollUp.add(minute);
  }
}

/** A walk in cents; volumes of 5 places, sums of 7. */
function minuteAt(index: number, random: () => number): Candle {
  const cents = (value: number) => BigInt(value) * 1_000_000n;
  const open = price;
  price += Math.round((random() - 0.5) * 4_000);
  const volume = BigInt(Math.floor(-Math.log(1 - random()) * 1_500_000));
  const taker = (volume * BigInt(Math.floor(random() * 100))) / 100n;
  const high = Math.max(open, price) + Math.floor(random() * 900);
  const low = Math.min(open, price) - Math.floor(random() * 900);
  return candleAt(0, {
    openTime: addMs(START, index * 60_000),
    open: cents(open),
    high: cents(high),
    low: cents(low),
    close: cents(price),
    volume: volume * 1_000n,
    quoteVolume: volume * BigInt(price) * 10n,
    trades: Math.floor(random() * 4_000),
    takerBuyVolume: taker * 1_000n,
    takerBuyQuoteVolume: taker * BigInt(price) * 10n,
    firstTradeId: undefined,
    lastTradeId: undefined,
    source: 'klines',
  });
}

async function sqlite(): Promise<Bench> {
  const path = join(folder, 'candles.db');
  const store = await openSqliteStore({ path, source });
  return { name: 'SQLite', store, diskBytes: async () => statSync(path).size };
}

async function database(name: string, url: string, connections?: number): Promise<Bench> {
  let lacks = '';
  const store = await openTimescaleStore({
    url,
    source,
    ...(connections === undefined ? {} : { connections }),
    onNotice: (notice) => {
      lacks = notice;
    },
  });
  const isHypertable = lacks === '';
  return {
    name,
    store,
    async diskBytes() {
      if (isHypertable) {
        await execute(url, `SELECT compress_chunk(c) FROM show_chunks('scaled_candles') c`);
        const [row] = await execute(url, `SELECT hypertable_size('scaled_candles')::text AS n`);
        return Number(row?.['n']);
      }
      await execute(url, 'VACUUM ANALYZE scaled_candles');
      const [row] = await execute(
        url,
        `SELECT pg_total_relation_size('scaled_candles')::text AS n`,
      );
      return Number(row?.['n']);
    },
  };
}

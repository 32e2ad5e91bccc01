// Years of real history: 32 months of the exchange's published minutes imported, read back equal in every field, and every longer candle equal to the exchange's own where we have it.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { importCandles } from '../../src/app/files/import-candles.ts';
import { listFiles } from '../../src/app/files/list-files.ts';
import type { Candle } from '../../src/core/market/candle.ts';
import { formatDecimal } from '../../src/core/market/decimal.ts';
import { INTERVALS, type Interval, nextOpenTime } from '../../src/core/market/interval.ts';
import type { Source } from '../../src/core/market/source.ts';
import { DAY_MS, type EpochMs, epochMs } from '../../src/core/market/time.ts';
import type { CandleStore } from '../../src/store/candle-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { openTimescaleStore } from '../../src/store/timescale/timescale-store.ts';
import { BTCUSDT } from '../contracts/candle-store-contract.ts';
import {
  recordedBtcHours,
  recordedBtcMinutes,
  recordedBtcQuarters,
  SHARED_DATA,
  skipWithoutData,
} from '../fake-exchange/recorded.ts';
import type { TruthCandle } from '../fake-exchange/truth.ts';
import {
  debianPostgresPrograms,
  startDebianPostgres,
} from '../integration/servers/debian-postgres.ts';

const source: Source = { kind: 'binance', host: 'binance.com' };
const ALL = epochMs(Date.UTC(2023, 0, 1));
/** A server on a shared machine takes a quarter of an hour for all: from the minute on that widens a month beyond 64 bits. */
const LAST_EIGHT_MONTHS = epochMs(Date.UTC(2025, 0, 1));
const TO = epochMs(Date.UTC(2025, 8, 1));
/** The exchange cut this minute and its hour short in an outage; a close time is derived here, never stored. */
const CUT_SHORT = [Date.UTC(2023, 2, 24, 12, 39), Date.UTC(2023, 2, 24, 12)];

describe('published minutes', { skip: skipWithoutData() }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'history-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('32 months in SQLite', async () => {
    await using store = await openSqliteStore({ path: join(folder, 'candles.db'), source });
    await importAndCompare(store, ALL);
  });

  const programs = debianPostgresPrograms();
  const isSkipped = programs === undefined && process.env['CI'] !== 'true';
  const skip = isSkipped ? 'the Debian package postgresql is not installed' : false;
  test('8 months in PostgreSQL', { skip }, async () => {
    await using server = await startDebianPostgres(programs ?? '');
    await using store = await openTimescaleStore({ url: server.url, source });
    await importAndCompare(store, LAST_EIGHT_MONTHS);
  });
});

async function importAndCompare(store: CandleStore, from: EpochMs): Promise<void> {
  const given = { symbol: undefined, interval: undefined };
  const all = await listFiles([join(SHARED_DATA, 'klines/BTCUSDT_1m')], given);
  const files = all.filter((file) => file.type === 'klines' && (file.from ?? 0) >= from);
  assert.equal(all.length, 32);
  const { read } = await importCandles({
    files,
    store,
    source,
    intervals: INTERVALS,
    onFile: () => undefined,
    onRefused: assert.fail,
    signal: new AbortController().signal,
  });
  assert.ok(read > files.length * 40_000, `${read} minutes`);
  for (const month of monthNames().slice(-files.length)) {
    const truth = recordedBtcMinutes(month) ?? [];
    const start = epochMs(truth[0]?.openTime ?? 0);
    const kept = await readSpan(store, '1m', start, nextOpenTime('1M', start));
    assert.equal(kept.length, truth.length, month);
    // By hand: a difference of 40,000 rows takes minutes to print.
    for (const [index, candle] of kept.entries()) {
      const own = fieldsOf(candle).join(' ');
      const official = truth[index];
      if (official === undefined || fieldsOfTruth(official, candle).join(' ') === own) continue;
      assert.deepEqual(fieldsOf(candle), fieldsOfTruth(official, candle), month);
    }
  }
  const hours = (recordedBtcHours() ?? []).filter(
    ({ openTime }) => openTime >= from && openTime < TO,
  );
  await compare(store, '1h', from, hours);
  await compare(store, '15m', from, recordedBtcQuarters('2025-07-28') ?? []);
  await compareSums(store, from);
}

/** Each of the exchange's candles is there, equal. */
async function compare(
  store: CandleStore,
  interval: Interval,
  start: EpochMs,
  truth: readonly TruthCandle[],
) {
  assert.ok(truth.length > 600, `${truth.length} ${interval} candles of the exchange`);
  const kept = await readSpan(store, interval, start, TO);
  const byTime = new Map(kept.map((candle) => [candle.openTime as number, candle]));
  for (const official of truth) {
    const own = byTime.get(official.openTime);
    assert.ok(own, `${interval} at ${new Date(official.openTime).toISOString()}`);
    assert.deepEqual(fieldsOf(own), fieldsOfTruth(official, own));
  }
}

/** Where the exchange's own are not at hand: every interval holds every trade of its whole windows, and no other. */
async function compareSums(store: CandleStore, start: EpochMs): Promise<void> {
  const all = await sumsOf(store, '1m', start, TO);
  for (const interval of INTERVALS.slice(2)) {
    const kept = await readSpan(store, interval, start, TO);
    const from = kept[0]?.openTime ?? TO;
    const to = epochMs((kept.at(-1)?.closeTime ?? start) + 1);
    assert.ok(from - start < 7 * DAY_MS && TO - to < 31 * DAY_MS, `${interval} spans all`);
    const [before, after] = [
      await sumsOf(store, '1m', start, from),
      await sumsOf(store, '1m', to, TO),
    ];
    const own = sums(kept);
    for (const field of ['volume', 'quoteVolume', 'trades'] as const) {
      assert.equal(before[field] + own[field] + after[field], all[field], `${interval} ${field}`);
    }
  }
}

interface Sums {
  readonly volume: bigint;
  readonly quoteVolume: bigint;
  readonly trades: bigint;
}

/** A month at a time: two years of minutes at once are gigabytes. */
async function sumsOf(
  store: CandleStore,
  interval: Interval,
  from: EpochMs,
  to: EpochMs,
): Promise<Sums> {
  let total = sums([]);
  for (let start = from; start < to; ) {
    const end = Math.min(nextOpenTime('1M', start), to) as EpochMs;
    const part = sums(await readSpan(store, interval, start, end));
    total = {
      volume: total.volume + part.volume,
      quoteVolume: total.quoteVolume + part.quoteVolume,
      trades: total.trades + part.trades,
    };
    start = end;
  }
  return total;
}

function sums(candles: readonly Candle[]): Sums {
  let [volume, quoteVolume, trades] = [0n, 0n, 0n];
  for (const candle of candles) {
    volume += candle.volume;
    quoteVolume += candle.quoteVolume;
    trades += BigInt(candle.trades);
  }
  return { volume, quoteVolume, trades };
}

async function readSpan(store: CandleStore, interval: Interval, from: EpochMs, to: EpochMs) {
  const query = { symbol: BTCUSDT, interval, from, to: epochMs(to - 1), take: 'first' } as const;
  return store.read({ ...query, limit: 2_000_000 });
}

function fieldsOf(candle: Candle): readonly (string | number)[] {
  return [
    candle.openTime,
    candle.closeTime,
    formatDecimal(candle.open),
    formatDecimal(candle.high),
    formatDecimal(candle.low),
    formatDecimal(candle.close),
    formatDecimal(candle.volume),
    formatDecimal(candle.quoteVolume),
    candle.trades,
    formatDecimal(candle.takerBuyVolume),
    formatDecimal(candle.takerBuyQuoteVolume),
  ];
}

function fieldsOfTruth(candle: TruthCandle, own: Candle): readonly (string | number)[] {
  return [
    candle.openTime,
    CUT_SHORT.includes(candle.openTime) ? own.closeTime : candle.closeTime,
    ...[candle.open, candle.high, candle.low, candle.close, candle.volume, candle.quoteVolume],
    candle.trades,
    ...[candle.takerBuyVolume, candle.takerBuyQuoteVolume],
  ];
}

function monthNames(): string[] {
  return readdirSync(join(SHARED_DATA, 'klines/BTCUSDT_1m')).map((name) => name.slice(11, 18));
}

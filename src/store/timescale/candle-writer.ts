// Writes candles, and the trades beside them, and removes candles: all of a batch or none, the highest revision wins, several writers at once.
import type { AggTrade } from '../../core/market/agg-trade.ts';
import type { Candle } from '../../core/market/candle.ts';
import type { Interval } from '../../core/market/interval.ts';
import type { DurationMs, EpochMs } from '../../core/market/time.ts';
import { bindCandle, type SqlInput } from '../candle-row.ts';
import { begin, type Connection, rowsOf, savepoint, type Transaction } from './connection.ts';
import { dropChunks, isHypertable } from './extension.ts';
import { type Batch, type SymbolRows, widenedRows, wideRows } from './symbol-rows.ts';
import { type CandleTable, columnArrays, insertSql, TABLES, tableOf, upsertSql } from './tables.ts';
import { eachOnce, insertTrades } from './trade-rows.ts';

/** Rows one INSERT writes at most: its parameters are some MB then. */
const ROWS_PER_INSERT_MAX = 10_000;

/** From so many on, an INSERT that expects new rows is tried first. */
const BULK_ROWS_MIN = 500;

/** SQLSTATE of a row that is there already. */
const UNIQUE_VIOLATION = '23505';

/** Rewriting years of minutes takes minutes; a server that is silent for longer is given up. */
const WIDEN_TIMEOUT_MS: DurationMs = 3_600_000;

/**
 * Before what may touch all of a symbol: it may take minutes, and unpack more compressed rows than the
 * 100,000 the extension allows by itself.
 */
const NO_LIMITS = `
  SET LOCAL statement_timeout = 0;
  SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0`;

export async function writeCandles(
  database: Connection,
  candles: readonly Candle[],
  trades: readonly AggTrade[],
): Promise<void> {
  const batch: Batch = { candles: newestRevisions(candles), trades: eachOnce(trades) };
  if (batch.candles.length === 0 && batch.trades.length === 0) return;
  const isWritten = await database.use((client) =>
    begin(client, async (sql) => {
      const rows = await wideRows(sql, batch);
      if (rows === undefined) return false;
      await writeRows(sql, batch, rows);
      return true;
    }),
  );
  if (isWritten) return;
  const widenAndWrite = async (sql: Transaction): Promise<void> => {
    await sql.unsafe(NO_LIMITS);
    await writeRows(sql, batch, await widenedRows(sql, batch));
  };
  await database.use((client) => begin(client, widenAndWrite), WIDEN_TIMEOUT_MS);
}

/** Removes candles of `interval` that open before `before`; answers how many. */
export function pruneCandles(
  database: Connection,
  interval: Interval,
  before: EpochMs,
): Promise<number> {
  const prune = async (sql: Transaction): Promise<number> => {
    await sql.unsafe(NO_LIMITS);
    const table = tableOf(interval);
    const isChunked = table === TABLES.seconds && (await isHypertable(sql, table));
    const dropped = isChunked ? await dropChunks(sql, table, before) : 0;
    // Named symbols make it one range of the primary key each, not a scan.
    const { count } = await sql.unsafe(
      `DELETE FROM ${table} WHERE symbol_id IN (SELECT id FROM symbols) AND interval = $1 AND open_time < $2`,
      [interval, before],
      { prepare: true },
    );
    return dropped + count;
  };
  return database.use((client) => begin(client, prune));
}

async function writeRows(
  sql: Transaction,
  { candles, trades }: Batch,
  rows: SymbolRows,
): Promise<void> {
  for (const table of Object.values(TABLES)) {
    const own = candles.filter(({ interval }) => tableOf(interval) === table);
    for (let at = 0; at < own.length; at += ROWS_PER_INSERT_MAX) {
      await insert(sql, table, own.slice(at, at + ROWS_PER_INSERT_MAX), rows);
    }
  }
  for (let at = 0; at < trades.length; at += ROWS_PER_INSERT_MAX) {
    await insertTrades(sql, trades.slice(at, at + ROWS_PER_INSERT_MAX), rows);
  }
}

async function insert(
  sql: Transaction,
  table: CandleTable,
  candles: readonly Candle[],
  rows: SymbolRows,
): Promise<void> {
  const inputs: SqlInput[] = [];
  for (const candle of candles) {
    const row = rows.get(candle.symbol);
    if (row === undefined) throw new Error(`Expected a row for ${candle.symbol}`);
    bindCandle(inputs, candle, row.id, row.scales);
  }
  const arrays = columnArrays(inputs);
  if (candles.length >= BULK_ROWS_MIN && (await isInserted(sql, table, arrays))) return;
  await rowsOf(sql, upsertSql(table), arrays);
}

async function isInserted(
  sql: Transaction,
  table: CandleTable,
  arrays: readonly string[],
): Promise<boolean> {
  try {
    await savepoint(sql, (attempt) => rowsOf(attempt, insertSql(table), arrays));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION) return false;
    throw error;
  }
}

/**
 * One candle an identity, as one statement must not meet a row twice: the highest revision, the first
 * of equal ones. Always in one order: two writers never wait for each other.
 */
function newestRevisions(candles: readonly Candle[]): readonly Candle[] {
  const newest = new Map<string, Candle>();
  for (const candle of candles) {
    const key = `${candle.symbol} ${candle.interval} ${candle.openTime}`;
    const known = newest.get(key);
    if (known === undefined || candle.revision > known.revision) newest.set(key, candle);
  }
  return [...newest.values()].sort(byIdentity);
}

function byIdentity(a: Candle, b: Candle): number {
  if (a.symbol !== b.symbol) return a.symbol < b.symbol ? -1 : 1;
  if (a.interval !== b.interval) return a.interval < b.interval ? -1 : 1;
  return a.openTime - b.openTime;
}

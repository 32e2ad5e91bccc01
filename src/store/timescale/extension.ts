// What the TimescaleDB extension adds where it is there: chunks, compression, chunks dropped whole. Plain PostgreSQL works too, and is told what it lacks.
import { DAY_MS, type DurationMs, type EpochMs, HOUR_MS } from '../../core/market/time.ts';
import { type Client, rowsOf, savepoint, type Transaction } from './connection.ts';
import { TABLES, TRADES_TABLE } from './tables.ts';

/** One line for the user: what is missing and what would mend it. */
export type StoreNotice = string;

interface Hypertable {
  readonly table: string;
  readonly timeColumn: string;
  readonly segmentBy: string;
  /** Within a segment; the time follows by itself. */
  readonly orderBy: string;
  readonly chunkMs: DurationMs;
  /** A chunk is compressed when all of it is older; corrections still reach it. */
  readonly compressAfterMs: DurationMs;
}

const BY_OPEN_TIME = {
  timeColumn: 'open_time',
  segmentBy: 'symbol_id, interval',
  orderBy: 'open_time',
};

/** A month of minutes of one symbol is 43,200 rows, which are 44 compressed segments. */
export const HYPERTABLES: readonly Hypertable[] = [
  { table: TABLES.others, ...BY_OPEN_TIME, chunkMs: 30 * DAY_MS, compressAfterMs: 14 * DAY_MS },
  { table: TABLES.seconds, ...BY_OPEN_TIME, chunkMs: 6 * HOUR_MS, compressAfterMs: 2 * DAY_MS },
  {
    table: TRADES_TABLE,
    timeColumn: 'trade_time',
    segmentBy: 'symbol_id',
    orderBy: 'agg_trade_id, trade_time',
    chunkMs: 6 * HOUR_MS,
    compressAfterMs: DAY_MS,
  },
];

const PLAIN: StoreNotice =
  'This PostgreSQL has no TimescaleDB: candles take several times the disk, and old 1s candles are removed row by row. Install the extension and restart; the tables are changed over then.';

/** The extension's own answer where it is built without what its free licence leaves out. */
const FEATURE_NOT_SUPPORTED = '0A000';

/** Chunks of `table` that lie wholly before `before` go as files do, without a row touched; answers how many rows went. To be called for hypertables. */
export async function dropChunks(
  sql: Transaction,
  table: string,
  before: EpochMs,
): Promise<number> {
  const timeColumn = HYPERTABLES.find((each) => each.table === table)?.timeColumn ?? 'open_time';
  const held = `SELECT count(*) FROM ${table} WHERE ${timeColumn} < $1`;
  const [first] = await rowsOf(sql, held, [before]);
  if (first?.[0] === 0n) return 0;
  await rowsOf(sql, `SELECT drop_chunks('${table}', older_than => $1::bigint)`, [before]);
  const [left] = await rowsOf(sql, held, [before]);
  return Number(first?.[0] ?? 0) - Number(left?.[0] ?? 0);
}

/** Makes the extension where the server has it. Outside of the migration: a refusal must not undo that. */
export async function prepareExtension(
  client: Client,
  onNotice: (notice: StoreNotice) => void,
): Promise<void> {
  if ((await hasExtension(client)) || !(await isAvailable(client))) return;
  try {
    await client.unsafe('CREATE EXTENSION IF NOT EXISTS timescaledb');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    onNotice(
      `TimescaleDB is on this server but not in this database, and could not be added (${reason}): run CREATE EXTENSION timescaledb as its owner`,
    );
  }
}

/**
 * Chunks and compression, by what is not yet so: safe to run again. There is no retention policy: it
 * runs by the wall clock, at once, and would remove a replay's or a back-fill's candles; `prune` drops
 * chunks by the candles' own time.
 */
export async function useExtension(
  sql: Transaction,
  onNotice: (notice: StoreNotice) => void,
): Promise<void> {
  if (!(await hasExtension(sql))) return onNotice(PLAIN);
  await sql.unsafe(`
    CREATE OR REPLACE FUNCTION wickstream_now_ms() RETURNS bigint LANGUAGE sql STABLE
    AS 'SELECT (extract(epoch FROM now()) * 1000)::bigint'`);
  for (const hypertable of HYPERTABLES) {
    await makeHypertable(sql, hypertable);
    await compress(sql, hypertable, onNotice);
  }
}

export async function isHypertable(sql: Client | Transaction, table: string): Promise<boolean> {
  if (!(await hasExtension(sql))) return false;
  return (await hypertableRow(sql, table)) !== undefined;
}

async function makeHypertable(
  sql: Transaction,
  { table, timeColumn, chunkMs }: Hypertable,
): Promise<void> {
  if ((await hypertableRow(sql, table)) !== undefined) return;
  await sql.unsafe(`
    SELECT create_hypertable('${table}', '${timeColumn}', chunk_time_interval => ${chunkMs}::bigint,
      create_default_indexes => false, migrate_data => true);
    SELECT set_integer_now_func('${table}', 'wickstream_now_ms')`);
}

async function compress(
  sql: Transaction,
  { table, segmentBy, orderBy, compressAfterMs }: Hypertable,
  onNotice: (notice: StoreNotice) => void,
): Promise<void> {
  const row = await hypertableRow(sql, table);
  if (row?.[0] === true) return;
  try {
    await savepoint(sql, (step) =>
      step.unsafe(`
        ALTER TABLE ${table} SET (timescaledb.compress,
          timescaledb.compress_segmentby = '${segmentBy}', timescaledb.compress_orderby = '${orderBy}');
        SELECT add_compression_policy('${table}', compress_after => ${compressAfterMs}::bigint)`),
    );
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== FEATURE_NOT_SUPPORTED)
      throw error;
    onNotice(
      `This TimescaleDB cannot compress (${error.message}): candles take several times the disk`,
    );
  }
}

async function hypertableRow(
  sql: Client | Transaction,
  table: string,
): Promise<readonly unknown[] | undefined> {
  const [row] = await rowsOf(
    sql,
    `SELECT compression_enabled FROM timescaledb_information.hypertables
     WHERE hypertable_schema = current_schema() AND hypertable_name = $1`,
    [table],
  );
  return row;
}

async function hasExtension(sql: Client | Transaction): Promise<boolean> {
  const rows = await rowsOf(sql, `SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'`);
  return rows.length > 0;
}

async function isAvailable(sql: Client | Transaction): Promise<boolean> {
  const rows = await rowsOf(
    sql,
    `SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'`,
  );
  return rows.length > 0;
}

// The database's shape, in numbered steps, done by one process at a time. A step that was released is never edited: a change is a new step at the end.
import { DECIMAL_PLACES } from '../../core/market/decimal.ts';
import { StoreError } from '../candle-store.ts';
import { begin, type Connection, rowsOf, type Transaction } from './connection.ts';
import { prepareExtension, type StoreNotice, useExtension } from './extension.ts';
import { TABLES, TRADES_TABLE } from './tables.ts';

/** Two integers name an advisory lock: ours is "Wick", and the schema's hash. */
const LOCK = `SELECT pg_advisory_xact_lock(${0x5769636b}, hashtext(current_schema()))`;

const SCALE_COLUMN = `smallint NOT NULL DEFAULT 0 CHECK (price_scale BETWEEN 0 AND ${DECIMAL_PLACES})`;

/** The table `wickstream` says how many are done. */
export const MIGRATIONS: readonly string[] = [
  `
  -- A scale is the number of decimal places in the symbol's integers; it only ever grows.
  CREATE TABLE symbols (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    price_scale ${SCALE_COLUMN},
    volume_scale ${SCALE_COLUMN.replaceAll('price_scale', 'volume_scale')},
    quote_volume_scale ${SCALE_COLUMN.replaceAll('price_scale', 'quote_volume_scale')}
  );

  ${candleTable(TABLES.others)}
  ${candleTable(TABLES.seconds)}

  ${candlesView(asNumeric)}
  `,
  `
  -- The newest verdict on each closed minute; record: as in the topic audits.
  CREATE TABLE audits (
    symbol text NOT NULL,
    open_time bigint NOT NULL,
    verdict text NOT NULL,
    at bigint NOT NULL,
    record text NOT NULL,
    PRIMARY KEY (symbol, open_time)
  );

  -- Which symbols the user added or removed while it ran. record: as in the topic symbols.
  CREATE TABLE symbol_wishes (
    symbol text PRIMARY KEY,
    record text NOT NULL
  );
  `,
  `
  -- Decimals by column, for those that are too wide for 64 bits at the symbol's scale: -1 stands in their place.
  ALTER TABLE ${TABLES.others} ADD COLUMN wide text;
  ALTER TABLE ${TABLES.seconds} ADD COLUMN wide text;
  DROP VIEW candles;
  ${candlesView(asNumericOrWide)}
  `,
  `
  -- Few candles are ever corrected: at a start they are found among a day's 86,400 seconds.
  CREATE INDEX ${TABLES.others}_corrected ON ${TABLES.others} (symbol_id, interval, open_time) WHERE revision > 0;
  CREATE INDEX ${TABLES.seconds}_corrected ON ${TABLES.seconds} (symbol_id, interval, open_time) WHERE revision > 0;
  `,
  `
  -- Aggregate trades, where they are kept. Scales are each row's own. A quantity of 0: an id without a trade.
  -- A trade's time is part of the key because TimescaleDB's chunks are by time; a trade has one time.
  CREATE TABLE ${TRADES_TABLE} (
    symbol_id integer NOT NULL,
    agg_trade_id bigint NOT NULL,
    trade_time bigint NOT NULL,
    price bigint NOT NULL,
    quantity bigint NOT NULL,
    first_trade_id bigint NOT NULL,
    last_trade_id bigint NOT NULL,
    price_scale smallint NOT NULL,
    quantity_scale smallint NOT NULL,
    buyer_is_maker boolean NOT NULL,
    PRIMARY KEY (symbol_id, agg_trade_id, trade_time)
  );
  CREATE INDEX ${TRADES_TABLE}_times ON ${TRADES_TABLE} (symbol_id, trade_time, agg_trade_id);

  -- For people: decimals as they are, times as times.
  CREATE VIEW trades AS
  SELECT
    name AS symbol,
    agg_trade_id,
    to_timestamp(trade_time / 1000.0) AS trade_time,
    ${asNumeric('price', 't.price_scale')},
    ${asNumeric('quantity', 'quantity_scale')},
    first_trade_id,
    last_trade_id,
    CASE WHEN buyer_is_maker THEN 'sell' ELSE 'buy' END AS taker_side,
    trade_time AS trade_time_ms
  FROM ${TRADES_TABLE} t JOIN symbols ON symbols.id = symbol_id
  WHERE quantity > 0;
  `,
];

type AsColumn = (column: string, scale: string) => string;

function candlesView(as: AsColumn): string {
  return `
  -- For people: decimals as they are, times as times.
  CREATE VIEW candles AS
  SELECT
    name AS symbol,
    interval,
    to_timestamp(open_time / 1000.0) AS open_time,
    ${as('open', 'price_scale')},
    ${as('high', 'price_scale')},
    ${as('low', 'price_scale')},
    ${as('close', 'price_scale')},
    ${as('volume', 'volume_scale')},
    ${as('quote_volume', 'quote_volume_scale')},
    trades,
    ${as('taker_buy_volume', 'volume_scale')},
    ${as('taker_buy_quote_volume', 'quote_volume_scale')},
    first_trade_id,
    last_trade_id,
    revision,
    complete,
    source,
    reason,
    open_time AS open_time_ms
  FROM (SELECT * FROM ${TABLES.others} UNION ALL SELECT * FROM ${TABLES.seconds}) scaled
  JOIN symbols ON symbols.id = symbol_id;`;
}

/** No foreign key: symbols are never removed, and checking it would cost a look-up for each row written. */
function candleTable(name: string): string {
  return `
  -- Times in ms since 1970, UTC. Ids: -1 where there was no trade, NULL where unknown.
  CREATE TABLE ${name} (
    symbol_id integer NOT NULL,
    interval text NOT NULL,
    open_time bigint NOT NULL,
    open bigint NOT NULL,
    high bigint NOT NULL,
    low bigint NOT NULL,
    close bigint NOT NULL,
    volume bigint NOT NULL,
    quote_volume bigint NOT NULL,
    taker_buy_volume bigint NOT NULL,
    taker_buy_quote_volume bigint NOT NULL,
    trades bigint NOT NULL,
    first_trade_id bigint,
    last_trade_id bigint,
    revision bigint NOT NULL,
    complete boolean NOT NULL,
    source text NOT NULL,
    reason text,
    PRIMARY KEY (symbol_id, interval, open_time)
  );`;
}

/** Exact: a product of a whole number and 10^-scale, with `scale` places. A quotient would be rounded. */
function asNumeric(column: string, scale: string): string {
  return `${column} * ('1e-' || ${scale})::numeric AS ${column}`;
}

function asNumericOrWide(column: string, scale: string): string {
  const wide = `(wide::json ->> '${column}')::numeric`;
  return `CASE WHEN ${column} < 0 THEN ${wide} ELSE ${column} * ('1e-' || ${scale})::numeric END AS ${column}`;
}

export interface MigrateOptions {
  readonly connection: Connection;
  /** `sourceId` of what the candles come from; a new database takes it, any other refuses another (I10). */
  readonly source: string;
  readonly readOnly: boolean;
  readonly steps?: readonly string[];
  /** Told what this server lacks. */
  readonly onNotice: (notice: StoreNotice) => void;
}

/**
 * Brings the database to the newest step; a kill leaves it before or after, never between. Several at
 * once wait for each other.
 * @throws StoreError `foreign-source`, `newer-version`; the database is then as it was.
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const { connection, readOnly, steps = MIGRATIONS } = options;
  if (readOnly) return connection.use((client) => begin(client, check, 'READ ONLY'));
  await connection.use(async (client) => {
    await begin(client, check);
    await prepareExtension(client, options.onNotice);
  });
  // Making hypertables of what is there may take minutes: no deadline.
  await connection.use((client) => begin(client, bringUpToDate), 0);

  async function check(sql: Transaction): Promise<void> {
    const done = await versionOf(connection.name, sql, options.source, steps.length);
    if (readOnly && done < steps.length) {
      throw new StoreError(
        'unwritable',
        `Expected version ${steps.length} in the ${connection.name}, it is ${done} and opened for reading only: open it for writing once`,
      );
    }
  }

  async function bringUpToDate(sql: Transaction): Promise<void> {
    await sql.unsafe(`SET LOCAL statement_timeout = 0; ${LOCK}`);
    const done = await versionOf(connection.name, sql, options.source, steps.length);
    if (done === 0)
      await sql.unsafe('CREATE TABLE wickstream (key text PRIMARY KEY, value text NOT NULL)');
    for (const step of steps.slice(done)) await sql.unsafe(step);
    await rowsOf(
      sql,
      `INSERT INTO wickstream VALUES ('version', $1), ('source', $2)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      [String(steps.length), options.source],
    );
    await useExtension(sql, options.onNotice);
  }
}

/** Steps done; 0 where nothing of ours is there. */
async function versionOf(
  name: string,
  sql: Transaction,
  source: string,
  newest: number,
): Promise<number> {
  // By the table of tables, not `to_regclass`: what that remembers may be older than the lock.
  const found = await rowsOf(
    sql,
    `SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(current_schema())
     AND relname IN ('wickstream', 'symbols', 'candles')`,
  );
  const names = found.map(([table]) => table);
  if (!names.includes('wickstream')) {
    if (names.length === 0) return 0;
    throw new StoreError(
      'foreign-source',
      `Expected candles in the ${name}, it holds tables "${names.join('", "')}" of another program: choose another database, or a schema of its own (?search_path=…)`,
    );
  }
  const rows = await rowsOf(sql, 'SELECT key, value FROM wickstream');
  const meta = new Map(rows.map(([key, value]) => [key, String(value)]));
  const version = Number(meta.get('version') ?? 0);
  if (version > newest) {
    throw new StoreError(
      'newer-version',
      `Expected version ${newest} or older in the ${name}, it is ${version}: update this program, or choose another database`,
    );
  }
  const kept = meta.get('source');
  if (kept !== undefined && kept !== source) {
    throw new StoreError(
      'foreign-source',
      `Expected candles of ${source} in the ${name}, they are of ${kept}: real and simulated candles never mix, choose another database`,
    );
  }
  return version;
}

// The database's shape, in numbered steps. A step that was released is never edited: a change is a new step at the end.
import type { DatabaseSync } from 'node:sqlite';
import { DECIMAL_PLACES } from '../../core/market/decimal.ts';

export const CORRECTED_INDEX = 'corrected_candles';
export const TRADE_TIMES_INDEX = 'trade_times';

/** `PRAGMA user_version` is the number of steps done. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- A scale is the number of decimal places in the symbol's integers; it only ever grows.
  CREATE TABLE symbols (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    price_scale INTEGER NOT NULL CHECK (price_scale BETWEEN 0 AND ${DECIMAL_PLACES}),
    volume_scale INTEGER NOT NULL CHECK (volume_scale BETWEEN 0 AND ${DECIMAL_PLACES}),
    quote_volume_scale INTEGER NOT NULL CHECK (quote_volume_scale BETWEEN 0 AND ${DECIMAL_PLACES})
  ) STRICT;

  -- Times in ms since 1970, UTC. Ids: -1 where there was no trade, NULL where unknown.
  CREATE TABLE candles (
    symbol_id INTEGER NOT NULL REFERENCES symbols (id),
    interval TEXT NOT NULL,
    open_time INTEGER NOT NULL,
    open INTEGER NOT NULL,
    high INTEGER NOT NULL,
    low INTEGER NOT NULL,
    close INTEGER NOT NULL,
    volume INTEGER NOT NULL,
    quote_volume INTEGER NOT NULL,
    trades INTEGER NOT NULL,
    taker_buy_volume INTEGER NOT NULL,
    taker_buy_quote_volume INTEGER NOT NULL,
    first_trade_id INTEGER,
    last_trade_id INTEGER,
    revision INTEGER NOT NULL,
    complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
    source TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (symbol_id, interval, open_time)
  ) STRICT, WITHOUT ROWID;

  ${candlesText(asText)}
  `,
  `
  -- The newest verdict on each closed minute. record: as in the topic audits, with both candles where they differ.
  CREATE TABLE audits (
    symbol TEXT NOT NULL,
    open_time INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    at INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (symbol, open_time)
  ) STRICT, WITHOUT ROWID;

  -- Which symbols the user added or removed while it ran. record: as in the topic symbols.
  CREATE TABLE symbol_wishes (
    symbol TEXT PRIMARY KEY,
    record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Decimals by column, for those that are too wide for 64 bits at the symbol's scale: -1 stands in their place.
  ALTER TABLE candles ADD COLUMN wide TEXT;
  DROP VIEW candles_text;
  ${candlesText(asTextOrWide)}
  `,
  `
  -- Few candles are ever corrected: at a start they are found among a day's 86,400 seconds.
  CREATE INDEX ${CORRECTED_INDEX} ON candles (symbol_id, interval, open_time) WHERE revision > 0;
  `,
  `
  -- Aggregate trades, where they are kept. Scales are each row's own. A quantity of 0: an id without a trade.
  CREATE TABLE trades (
    symbol_id INTEGER NOT NULL REFERENCES symbols (id),
    agg_trade_id INTEGER NOT NULL,
    trade_time INTEGER NOT NULL,
    price INTEGER NOT NULL,
    price_scale INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    quantity_scale INTEGER NOT NULL,
    first_trade_id INTEGER NOT NULL,
    last_trade_id INTEGER NOT NULL,
    buyer_is_maker INTEGER NOT NULL CHECK (buyer_is_maker IN (0, 1)),
    PRIMARY KEY (symbol_id, agg_trade_id)
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX ${TRADE_TIMES_INDEX} ON trades (symbol_id, trade_time);

  -- For people: decimals as text.
  CREATE VIEW trades_text AS
  SELECT
    name AS symbol,
    agg_trade_id,
    strftime('%Y-%m-%dT%H:%M:%fZ', trade_time / 1000.0, 'unixepoch') AS trade_time_utc,
    ${asText('price', 'trades.price_scale')},
    ${asText('quantity', 'quantity_scale')},
    first_trade_id,
    last_trade_id,
    iif(buyer_is_maker, 'sell', 'buy') AS taker_side,
    trade_time
  FROM trades JOIN symbols ON symbols.id = symbol_id
  WHERE quantity > 0;
  `,
];

function candlesText(as: (column: string, scale: string) => string): string {
  return `
  -- For people: the same candles with decimals as text.
  CREATE VIEW candles_text AS
  SELECT
    name AS symbol,
    interval,
    open_time,
    strftime('%Y-%m-%dT%H:%M:%fZ', open_time / 1000.0, 'unixepoch') AS open_time_utc,
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
    reason
  FROM candles JOIN symbols ON symbols.id = symbol_id;`;
}

/** Steps after those already done, each in a transaction of its own: a kill leaves a whole number of steps. */
export function migrate(database: DatabaseSync, steps: readonly string[] = MIGRATIONS): void {
  for (let done = versionOf(database); done < steps.length; done++) {
    database.exec('BEGIN IMMEDIATE');
    try {
      database.exec(steps[done] ?? '');
      database.exec(`PRAGMA user_version = ${done + 1}`);
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
}

export function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

/** SQL for a scaled integer as decimal text, e.g. 12345 at scale 2 as 123.45. */
function asText(column: string, scale: string): string {
  return `${textOf(column, scale)} AS ${column}`;
}

function asTextOrWide(column: string, scale: string): string {
  return `iif(${column} < 0, wide ->> '$.${column}', ${textOf(column, scale)}) AS ${column}`;
}

function textOf(column: string, scale: string): string {
  const digits = `printf('%0*d', ${scale} + 1, ${column})`;
  const whole = `substr(${digits}, 1, length(${digits}) - ${scale})`;
  return `iif(${scale} = 0, '' || ${column}, ${whole} || '.' || substr(${digits}, -${scale}))`;
}

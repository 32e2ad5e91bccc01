// The two tables of candles and the statements on them, by the one order of columns.
import type { Interval } from '../../core/market/interval.ts';
import { COLUMNS, type SqlInput, VALUE_COLUMNS } from '../candle-row.ts';

export const TRADES_TABLE = 'scaled_trades';

/** Seconds have a table of their own: they live for hours, and leave by whole chunks. */
export const TABLES = { seconds: 'scaled_candles_1s', others: 'scaled_candles' } as const;

export type CandleTable = (typeof TABLES)[keyof typeof TABLES];

export function tableOf(interval: Interval): CandleTable {
  return interval === '1s' ? TABLES.seconds : TABLES.others;
}

/** A type for each of `COLUMNS`; whatever is not named is a bigint. */
const TYPES: Readonly<Record<string, string>> = {
  symbol_id: 'integer',
  interval: 'text',
  complete: 'boolean',
  source: 'text',
  reason: 'text',
  wide: 'text',
};

/** Fails where one of the rows is there already. Twice as fast as `upsertSql`: for candles that are most likely new. */
export function insertSql(table: CandleTable): string {
  const arrays = COLUMNS.map((column, index) => `$${index + 1}::${TYPES[column] ?? 'bigint'}[]`);
  return `INSERT INTO ${table} (${COLUMNS.join(', ')}) SELECT * FROM unnest(${arrays.join(', ')})`;
}

/** One already there stays, save where the new revision is higher (I5). */
export function upsertSql(table: CandleTable): string {
  return `${insertSql(table)}
    ON CONFLICT (symbol_id, interval, open_time) DO UPDATE SET
      ${VALUE_COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}
    WHERE excluded.revision > ${table}.revision`;
}

/** The array parameters of an insert, from rows of `columns` bound one after the other. */
export function columnArrays(
  inputs: readonly SqlInput[],
  columns: readonly string[] = COLUMNS,
): string[] {
  return columns.map((_, column) => {
    const values: SqlInput[] = [];
    for (let at = column; at < inputs.length; at += columns.length) values.push(inputs[at] ?? null);
    return `{${values.map(arrayElement).join(',')}}`;
  });
}

/** How many columns `selectSql` puts before those of `candleOf`: the three scales, of the same snapshot as the rows. */
export const SCALES_BEFORE = 3;

/** Parameters: symbol_id, interval, from, to, least revision, limit. `corrected`: by the index that has no others. */
export function selectSql(
  table: CandleTable,
  direction: 'ASC' | 'DESC',
  which: 'all' | 'corrected',
): string {
  const scale = (kind: string) => `(SELECT ${kind}_scale FROM symbols WHERE id = $1)`;
  const columns = VALUE_COLUMNS.map((name) => (name === 'complete' ? 'complete::integer' : name));
  return `
    SELECT ${scale('price')}, ${scale('volume')}, ${scale('quote_volume')}, open_time, ${columns.join(', ')}
    FROM ${table}
    WHERE symbol_id = $1 AND interval = $2 AND open_time >= $3 AND open_time <= $4 AND revision >= $5 ${which === 'all' ? '' : 'AND revision > 0'}
    ORDER BY open_time ${direction} LIMIT $6`;
}

/** Numbers and our own words need no quotes; `wide` is JSON. */
function arrayElement(value: SqlInput): string {
  if (value === null) return 'NULL';
  const text = String(value);
  return text.startsWith('{') ? `"${text.replaceAll('"', '\\"')}"` : text;
}

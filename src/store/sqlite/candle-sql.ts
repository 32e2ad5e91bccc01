// The statements on the table `candles`, by the one order of its columns.
import { COLUMNS, VALUE_COLUMNS } from '../candle-row.ts';
import { CORRECTED_INDEX } from './migrations.ts';

/** Writes `rows` candles at once; one already there stays, save where the new revision is higher (I5). */
export function upsertSql(rows: number): string {
  const row = `(${COLUMNS.map(() => '?').join(', ')})`;
  return `
    INSERT INTO candles (${COLUMNS.join(', ')}) VALUES ${Array(rows).fill(row).join(', ')}
    ON CONFLICT (symbol_id, interval, open_time) DO UPDATE SET
      ${VALUE_COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}
    WHERE excluded.revision > candles.revision`;
}

/** Rows for `candleOf`; parameters: symbol_id, interval, from, to, least revision, limit. */
export function selectSql(direction: 'ASC' | 'DESC', which: 'all' | 'corrected'): string {
  // The index has no others, and is used only where the statement says so, too.
  const [index, only] =
    which === 'all' ? ['', ''] : [`INDEXED BY ${CORRECTED_INDEX}`, 'AND revision > 0'];
  return `
    SELECT open_time, ${VALUE_COLUMNS.join(', ')} FROM candles ${index}
    WHERE symbol_id = ? AND interval = ? AND open_time BETWEEN ? AND ? AND revision >= ? ${only}
    ORDER BY open_time ${direction} LIMIT ?`;
}

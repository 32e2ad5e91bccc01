// Remembers rows of REST that were no trade: the same ones come again with each try, and are told once.
import { PAGE_ROWS_MAX } from './rest.ts';

/** Rows remembered. At the limit the oldest is forgotten. */
export const REJECTED_ROWS_MAX = PAGE_ROWS_MAX;

/** True for a row that was not asked about before. */
export function createRowMemory(): (row: string) => boolean {
  const rows = new Set<string>();
  return (row) => {
    if (rows.has(row)) return false;
    rows.add(row);
    const [oldest] = rows;
    if (rows.size > REJECTED_ROWS_MAX && oldest !== undefined) rows.delete(oldest);
    return true;
  };
}

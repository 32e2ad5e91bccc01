// Holes in a series, from what a database finds: the first open time, and the pairs of open times that are further apart than a window.
import { INTERVAL_MS, nextOpenTime } from '../core/market/interval.ts';
import { epochMs } from '../core/market/time.ts';
import type { Hole, HoleQuery } from './candle-store.ts';

/** An open time, and the next one kept; null: none in the span asked for. */
export type OpenTimes = readonly [openTime: number, next: number | null];

/**
 * SQL with parameters as named: those rows whose next is missing or further away than one window (a
 * month: than the longest), and the first row of all as the next of −1.
 */
export function openTimesSql(
  table: string,
  p: Readonly<Record<keyof HoleQuery | 'id' | 'step', string>>,
): string {
  const own = `symbol_id = ${p.id} AND interval = ${p.interval} AND open_time >= ${p.from} AND open_time < ${p.to}`;
  return `
    SELECT * FROM (
      SELECT -1 AS open_time, min(open_time) AS next FROM ${table} WHERE ${own}
      UNION ALL
      SELECT open_time, next FROM (
        SELECT open_time, lead(open_time) OVER (ORDER BY open_time) AS next FROM ${table} WHERE ${own}
      ) AS pairs
      WHERE next IS NULL OR next - open_time > ${p.step}
    ) AS ends
    ORDER BY open_time LIMIT ${p.limit}`;
}

/** `rows` of `openTimesSql`, one more than holes are asked for. */
export function holesOf(rows: readonly OpenTimes[], query: HoleQuery): readonly Hole[] {
  const { interval, from, to, limit } = query;
  const holes: Hole[] = [];
  for (const [openTime, next] of rows) {
    const start = openTime < 0 ? from : nextOpenTime(interval, epochMs(openTime));
    const end = next === null ? to : epochMs(next);
    if (start < end) holes.push({ from: start, to: end });
    // An empty series is its first row's hole; the rows' own end is not one more.
    if (openTime < 0 && next === null) break;
  }
  return holes.slice(0, Math.max(0, limit));
}

export function stepOf({ interval }: HoleQuery): number {
  return INTERVAL_MS[interval];
}

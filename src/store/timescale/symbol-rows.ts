// The table `symbols`: ids and scales, locked for the caller's transaction, so that nobody widens a scale while rows are written at it.
import type { AggTrade } from '../../core/market/agg-trade.ts';
import type { Candle } from '../../core/market/candle.ts';
import { type MarketSymbol, marketSymbol } from '../../core/market/symbol.ts';
import type { Scales } from '../scale.ts';
import {
  isTooLargeSql,
  markWideSql,
  multiplySql,
  neededScales,
  type Widening,
  wideningsOf,
  widerText,
} from '../scaled-candle.ts';
import { rowsOf, type Transaction } from './connection.ts';
import { type CandleTable, TABLES } from './tables.ts';

export interface SymbolRow {
  readonly id: number;
  readonly scales: Scales;
}

/** What one transaction writes. */
export interface Batch {
  readonly candles: readonly Candle[];
  readonly trades: readonly AggTrade[];
}

export type SymbolRows = ReadonlyMap<MarketSymbol, SymbolRow>;

/**
 * Rows wide enough for every decimal of `batch`, shared with other writers until the transaction
 * ends; undefined where one is missing or too narrow: then `widenedRows`, in a new transaction.
 */
export async function wideRows(sql: Transaction, batch: Batch): Promise<SymbolRows | undefined> {
  const symbols = symbolsOf(batch);
  const rows = await lockRows(sql, symbols, 'SHARE');
  if (rows.size < symbols.length) return undefined;
  for (const [symbol, needed] of neededScales(batch.candles, (name) => rows.get(name)?.scales)) {
    const row = rows.get(symbol);
    if (row === undefined || wideningsOf(row.scales, needed).length > 0) {
      return undefined;
    }
  }
  return rows;
}

/**
 * As `wideRows`, after making and widening what is needed: the symbol's rows are rewritten in this
 * transaction, and no other writes meanwhile (I3).
 */
export async function widenedRows(sql: Transaction, batch: Batch): Promise<SymbolRows> {
  const symbols = symbolsOf(batch);
  await rowsOf(
    sql,
    'INSERT INTO symbols (name) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING',
    [textArray(symbols)],
  );
  const rows = await lockRows(sql, symbols, 'UPDATE');
  const widened = new Map<MarketSymbol, SymbolRow>(rows);
  for (const [symbol, scales] of neededScales(batch.candles, (name) => rows.get(name)?.scales)) {
    const row = rows.get(symbol);
    if (row === undefined) throw new Error(`Expected a row for ${symbol}`);
    await widen(sql, row, scales);
    widened.set(symbol, { id: row.id, scales });
  }
  return widened;
}

/** Always in one order: two writers never wait for each other. */
async function lockRows(
  sql: Transaction,
  symbols: readonly MarketSymbol[],
  mode: 'SHARE' | 'UPDATE',
): Promise<SymbolRows> {
  const rows = await rowsOf(
    sql,
    `SELECT name, id, price_scale, volume_scale, quote_volume_scale
     FROM symbols WHERE name = ANY($1::text[]) ORDER BY id FOR ${mode}`,
    [textArray(symbols)],
  );
  return new Map(
    rows.map(([name, id, price, volume, quoteVolume]) => [
      marketSymbol(String(name)),
      {
        id: Number(id),
        scales: {
          price: Number(price),
          volume: Number(volume),
          quoteVolume: Number(quoteVolume),
        },
      },
    ]),
  );
}

/** One rewrite of each table, however many kinds widen: of years of minutes it takes a while. */
async function widen(sql: Transaction, row: SymbolRow, to: Scales): Promise<void> {
  const widenings = wideningsOf(row.scales, to);
  if (widenings.length === 0) return;
  for (const table of Object.values(TABLES)) {
    await markWide(sql, table, row.id, widenings);
    await rowsOf(sql, `UPDATE ${table} SET ${multiplySql(widenings)} WHERE symbol_id = $1`, [
      row.id,
    ]);
  }
  await rowsOf(
    sql,
    'UPDATE symbols SET price_scale = $1, volume_scale = $2, quote_volume_scale = $3 WHERE id = $4',
    [to.price, to.volume, to.quoteVolume, row.id],
  );
}

/** Few rows, if any: sums of months. */
async function markWide(
  sql: Transaction,
  table: CandleTable,
  symbolId: number,
  widenings: readonly Widening[],
): Promise<void> {
  const columns = widenings.map(({ column }) => column).join(', ');
  const rows = await rowsOf(
    sql,
    `SELECT interval, open_time, wide, ${columns} FROM ${table}
     WHERE symbol_id = $1 AND (${isTooLargeSql(widenings)})`,
    [symbolId],
  );
  for (const [interval = '', openTime = 0, wide, ...integers] of rows) {
    const kept = integers.map((value) => BigInt(value ?? 0));
    const text = widerText(typeof wide === 'string' ? wide : undefined, kept, widenings);
    await rowsOf(
      sql,
      `UPDATE ${table} SET wide = $1, ${markWideSql(widenings)}
       WHERE symbol_id = $2 AND interval = $3 AND open_time = $4`,
      [text, symbolId, interval, openTime],
    );
  }
}

function symbolsOf({ candles, trades }: Batch): readonly MarketSymbol[] {
  return [...new Set([...candles, ...trades].map(({ symbol }) => symbol))].sort();
}

/** Symbols are letters, digits, `_`, `.` and `-`: nothing to quote. */
function textArray(symbols: readonly MarketSymbol[]): string {
  return `{${symbols.join(',')}}`;
}

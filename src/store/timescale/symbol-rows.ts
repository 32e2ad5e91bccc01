// The table `symbols`: ids and scales, locked for the caller's transaction, so that nobody widens a scale while rows are written at it.
import type { Candle } from '../../core/market/candle.ts';
import { type MarketSymbol, marketSymbol } from '../../core/market/symbol.ts';
import { fromScaled, INT64_MAX, type Scales } from '../scale.ts';
import {
  cannotWiden,
  neededScales,
  SCALE_COLUMNS,
  SCALED_FIELDS,
  SCALED_KINDS,
} from '../scaled-candle.ts';
import { rowsOf, type Transaction } from './connection.ts';
import { TABLES } from './tables.ts';

export interface SymbolRow {
  readonly id: number;
  readonly scales: Scales;
}

export type SymbolRows = ReadonlyMap<MarketSymbol, SymbolRow>;

/**
 * Rows wide enough for every decimal of `candles`, shared with other writers until the transaction
 * ends; undefined where one is missing or too narrow: then `widenedRows`, in a new transaction.
 */
export async function wideRows(
  sql: Transaction,
  candles: readonly Candle[],
): Promise<SymbolRows | undefined> {
  const rows = await lockRows(sql, symbolsOf(candles), 'SHARE');
  for (const [symbol, needed] of neededScales(candles, (name) => rows.get(name)?.scales)) {
    const row = rows.get(symbol);
    if (row === undefined || SCALED_KINDS.some((kind) => row.scales[kind] < needed[kind])) {
      return undefined;
    }
  }
  return rows;
}

/**
 * As `wideRows`, after making and widening what is needed: the symbol's rows are rewritten in this
 * transaction, and no other writes meanwhile (I3).
 * @throws StoreError `out-of-range` where what is kept already does not fit 64 bits at the scale now needed.
 */
export async function widenedRows(
  sql: Transaction,
  candles: readonly Candle[],
): Promise<SymbolRows> {
  const symbols = symbolsOf(candles);
  await rowsOf(
    sql,
    'INSERT INTO symbols (name) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING',
    [textArray(symbols)],
  );
  const rows = await lockRows(sql, symbols, 'UPDATE');
  const widened = new Map<MarketSymbol, SymbolRow>();
  for (const [symbol, scales] of neededScales(candles, (name) => rows.get(name)?.scales)) {
    const row = rows.get(symbol);
    if (row === undefined) throw new Error(`Expected a row for ${symbol}`);
    await widen(sql, symbol, row, scales);
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

async function widen(
  sql: Transaction,
  symbol: MarketSymbol,
  row: SymbolRow,
  to: Scales,
): Promise<void> {
  for (const kind of SCALED_KINDS) {
    const by = to[kind] - row.scales[kind];
    if (by === 0) continue;
    const columns = SCALED_FIELDS.filter((one) => one.kind === kind);
    const factor = 10n ** BigInt(by);
    for (const table of Object.values(TABLES)) {
      const greatest = await rowsOf(
        sql,
        `SELECT ${columns.map(({ column }) => `max(${column})`).join(', ')} FROM ${table} WHERE symbol_id = $1`,
        [row.id],
      );
      columns.forEach(({ field }, index) => {
        const kept = greatest[0]?.[index];
        if (typeof kept === 'bigint' && kept * factor > INT64_MAX) {
          throw cannotWiden(symbol, field, fromScaled(kept, row.scales[kind]), to[kind]);
        }
      });
      const assignments = columns.map(({ column }) => `${column} = ${column} * ${factor}`);
      await rowsOf(sql, `UPDATE ${table} SET ${assignments.join(', ')} WHERE symbol_id = $1`, [
        row.id,
      ]);
    }
    await rowsOf(sql, `UPDATE symbols SET ${SCALE_COLUMNS[kind]} = $1 WHERE id = $2`, [
      to[kind],
      row.id,
    ]);
  }
}

function symbolsOf(candles: readonly Candle[]): readonly MarketSymbol[] {
  return [...new Set(candles.map(({ symbol }) => symbol))].sort();
}

/** Symbols are letters, digits, `_`, `.` and `-`: nothing to quote. */
function textArray(symbols: readonly MarketSymbol[]): string {
  return `{${symbols.join(',')}}`;
}

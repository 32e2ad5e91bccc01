// The table `symbols`: each symbol's id and scales. Widens scales, and the rows under them, inside the caller's transaction.
import type { DatabaseSync } from 'node:sqlite';
import type { Candle } from '../../core/market/candle.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Scales } from '../scale.ts';
import {
  isTooLargeSql,
  markWideSql,
  multiplySql,
  NO_SCALES,
  neededScales,
  type Widening,
  wideningsOf,
  widerText,
} from '../scaled-candle.ts';

export interface SymbolRow {
  readonly id: number;
  readonly scales: Scales;
}

export interface SymbolTable {
  /** Undefined where the symbol was never written. */
  find(symbol: MarketSymbol): SymbolRow | undefined;
  /**
   * Rows wide enough for every decimal of `candles`, by symbol. To be called in a transaction.
   */
  rowsFor(candles: readonly Candle[]): ReadonlyMap<MarketSymbol, SymbolRow>;
  /** Of the symbol's row, which is made where there is none. To be called in a transaction. */
  idOf(symbol: MarketSymbol): number;
  /** What is remembered may be wrong: a transaction was rolled back, or another process may have written. */
  forget(): void;
}

export function symbolTable(database: DatabaseSync): SymbolTable {
  const known = new Map<MarketSymbol, SymbolRow>();
  const select = database.prepare(
    'SELECT id, price_scale, volume_scale, quote_volume_scale FROM symbols WHERE name = ?',
  );

  const find = (symbol: MarketSymbol): SymbolRow | undefined => {
    const remembered = known.get(symbol);
    if (remembered !== undefined) return remembered;
    const row = select.get(symbol);
    if (row === undefined) return undefined;
    const found: SymbolRow = {
      id: Number(row['id']),
      scales: {
        price: Number(row['price_scale']),
        volume: Number(row['volume_scale']),
        quoteVolume: Number(row['quote_volume_scale']),
      },
    };
    known.set(symbol, found);
    return found;
  };

  const insert = (symbol: MarketSymbol): SymbolRow => {
    const { lastInsertRowid } = database
      .prepare(
        'INSERT INTO symbols (name, price_scale, volume_scale, quote_volume_scale) VALUES (?, 0, 0, 0)',
      )
      .run(symbol);
    return { id: Number(lastInsertRowid), scales: NO_SCALES };
  };

  return {
    find,
    rowsFor(candles) {
      const rows = new Map<MarketSymbol, SymbolRow>();
      for (const [symbol, needed] of neededScales(candles, (name) => find(name)?.scales)) {
        const row = find(symbol) ?? insert(symbol);
        widen(database, row, needed);
        const widened = { id: row.id, scales: needed };
        known.set(symbol, widened);
        rows.set(symbol, widened);
      }
      return rows;
    },
    idOf(symbol) {
      const row = find(symbol) ?? insert(symbol);
      known.set(symbol, row);
      return row.id;
    },
    forget: () => known.clear(),
  };
}

/** Rewrites the symbol's rows at the wider scales (I3). */
function widen(database: DatabaseSync, row: SymbolRow, to: Scales): void {
  const widenings = wideningsOf(row.scales, to);
  if (widenings.length === 0) return;
  markWide(database, row.id, widenings);
  database.prepare(`UPDATE candles SET ${multiplySql(widenings)} WHERE symbol_id = ?`).run(row.id);
  database
    .prepare(
      'UPDATE symbols SET price_scale = ?, volume_scale = ?, quote_volume_scale = ? WHERE id = ?',
    )
    .run(to.price, to.volume, to.quoteVolume, row.id);
}

/** Few rows, if any: sums of months. */
function markWide(database: DatabaseSync, symbolId: number, widenings: readonly Widening[]): void {
  const columns = widenings.map(({ column }) => column).join(', ');
  const select = database.prepare(
    `SELECT interval, open_time, wide, ${columns} FROM candles
     WHERE symbol_id = ? AND (${isTooLargeSql(widenings)})`,
  );
  select.setReadBigInts(true);
  const update = database.prepare(
    `UPDATE candles SET wide = ?, ${markWideSql(widenings)}
     WHERE symbol_id = ? AND interval = ? AND open_time = ?`,
  );
  for (const { interval, open_time, wide, ...integers } of select.all(symbolId)) {
    const kept = widenings.map(({ column }) => BigInt(integers[column] as bigint));
    const text = widerText(typeof wide === 'string' ? wide : undefined, kept, widenings);
    update.run(text, symbolId, String(interval), BigInt(open_time as bigint));
  }
}

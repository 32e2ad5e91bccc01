// The table `symbols`: each symbol's id and scales. Widens scales, and the rows under them, inside the caller's transaction.
import type { DatabaseSync } from 'node:sqlite';
import type { Candle } from '../../core/market/candle.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { fromScaled, INT64_MAX, type Scales } from '../scale.ts';
import {
  cannotWiden,
  NO_SCALES,
  neededScales,
  SCALE_COLUMNS,
  SCALED_FIELDS,
  SCALED_KINDS,
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
   * @throws StoreError `out-of-range` where what is kept already does not fit 64 bits at the scale now needed.
   */
  rowsFor(candles: readonly Candle[]): ReadonlyMap<MarketSymbol, SymbolRow>;
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
        widen(database, symbol, row, needed);
        const widened = { id: row.id, scales: needed };
        known.set(symbol, widened);
        rows.set(symbol, widened);
      }
      return rows;
    },
    forget: () => known.clear(),
  };
}

/** Rewrites the symbol's rows at the wider scales. */
function widen(database: DatabaseSync, symbol: MarketSymbol, row: SymbolRow, to: Scales): void {
  for (const kind of SCALED_KINDS) {
    const from = row.scales[kind];
    if (to[kind] === from) continue;
    const columns = SCALED_FIELDS.filter((one) => one.kind === kind);
    const factor = 10n ** BigInt(to[kind] - from);
    for (const { field, column } of columns) {
      const greatest = greatestOf(database, row.id, column);
      if (greatest * factor > INT64_MAX) {
        throw cannotWiden(symbol, field, fromScaled(greatest, from), to[kind]);
      }
    }
    const assignments = columns.map(({ column }) => `${column} = ${column} * ${factor}`);
    database
      .prepare(`UPDATE candles SET ${assignments.join(', ')} WHERE symbol_id = ?`)
      .run(row.id);
    database
      .prepare(`UPDATE symbols SET ${SCALE_COLUMNS[kind]} = ? WHERE id = ?`)
      .run(to[kind], row.id);
  }
}

/** Prices and volumes are never negative. */
function greatestOf(database: DatabaseSync, symbolId: number, column: string): bigint {
  const statement = database.prepare(
    `SELECT max(${column}) AS greatest FROM candles WHERE symbol_id = ?`,
  );
  statement.setReadBigInts(true);
  const greatest = statement.get(symbolId)?.['greatest'];
  return typeof greatest === 'bigint' ? greatest : 0n;
}

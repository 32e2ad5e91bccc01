// Trades in SQLite: each once, by (symbol, id). Writes inside the caller's transaction.
import assert from 'node:assert/strict';
import type { DatabaseSync } from 'node:sqlite';
import type { AggTrade } from '../../core/market/agg-trade.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { EpochMs } from '../../core/market/time.ts';
import type { SqlInput } from '../candle-row.ts';
import type { TradePruning, TradeQuery } from '../candle-store.ts';
import { bindTrade, TRADE_COLUMNS, TRADE_VALUE_COLUMNS, tradeOf } from '../trade-row.ts';
import { TRADE_TIMES_INDEX } from './migrations.ts';
import type { SymbolTable } from './symbol-table.ts';

/** Rows one INSERT writes, as of candles. */
const ROWS_PER_INSERT = 8;

export interface TradeTable {
  insert(trades: readonly AggTrade[]): void;
  read(query: TradeQuery): readonly AggTrade[];
  idAt(symbol: MarketSymbol, time: EpochMs, side: 'from' | 'to'): number | undefined;
  prune(pruning: TradePruning): number;
}

export function tradeTable(database: DatabaseSync, symbols: SymbolTable): TradeTable {
  const insertOne = database.prepare(insertSql(1));
  const insertMany = database.prepare(insertSql(ROWS_PER_INSERT));
  const select = { first: selectStatement('ASC'), last: selectStatement('DESC') };
  const at = {
    from: database.prepare(idAtSql('>=', 'ASC')),
    to: database.prepare(idAtSql('<=', 'DESC')),
  };
  const prune = database.prepare(`
    DELETE FROM trades WHERE (symbol_id, agg_trade_id) IN (
      SELECT symbol_id, agg_trade_id FROM trades INDEXED BY ${TRADE_TIMES_INDEX}
      WHERE symbol_id = ? AND trade_time < ? ORDER BY trade_time LIMIT ?)`);
  const ids = database.prepare('SELECT id FROM symbols');

  function selectStatement(direction: 'ASC' | 'DESC') {
    const statement = database.prepare(`
      SELECT ${TRADE_VALUE_COLUMNS.join(', ')} FROM trades
      WHERE symbol_id = ? AND agg_trade_id BETWEEN ? AND ?
      ORDER BY agg_trade_id ${direction} LIMIT ?`);
    statement.setReturnArrays(true);
    statement.setReadBigInts(true);
    return statement;
  }

  return {
    insert(trades) {
      const manyUntil = trades.length - (trades.length % ROWS_PER_INSERT);
      let inputs: SqlInput[] = [];
      trades.forEach((trade, index) => {
        bindTrade(inputs, trade, symbols.idOf(trade.symbol));
        if (index < manyUntil && index % ROWS_PER_INSERT !== ROWS_PER_INSERT - 1) return;
        (index < manyUntil ? insertMany : insertOne).run(...inputs);
        inputs = [];
      });
    },
    read({ symbol, fromId = 0, toId = Number.MAX_SAFE_INTEGER, limit, take }) {
      const row = symbols.find(symbol);
      if (row === undefined) return [];
      const found = select[take].all(row.id, fromId, toId, Math.max(0, limit));
      if (take === 'last') found.reverse();
      return found.map((values: unknown) => {
        assert(Array.isArray(values), 'Expected a row as an array');
        return tradeOf(values, symbol);
      });
    },
    idAt(symbol, time, side) {
      const row = symbols.find(symbol);
      const found = row === undefined ? undefined : at[side].get(row.id, time);
      return found === undefined ? undefined : Number(found['agg_trade_id']);
    },
    prune({ symbol, before, limit }) {
      const pruned =
        symbol === undefined ? ids.all().map(({ id }) => Number(id)) : [symbols.find(symbol)?.id];
      let count = 0;
      for (const id of pruned) {
        if (id === undefined || count >= limit) continue;
        count += Number(prune.run(id, before, limit - count).changes);
      }
      return count;
    },
  };
}

/** A trade that comes again is as it was; only an id that had none may get one. */
function insertSql(rows: number): string {
  const row = `(${TRADE_COLUMNS.map(() => '?').join(', ')})`;
  return `
    INSERT INTO trades (${TRADE_COLUMNS.join(', ')}) VALUES ${Array(rows).fill(row).join(', ')}
    ON CONFLICT (symbol_id, agg_trade_id) DO UPDATE SET
      ${TRADE_VALUE_COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}
    WHERE trades.quantity = 0 AND excluded.quantity > 0`;
}

function idAtSql(compared: '>=' | '<=', direction: 'ASC' | 'DESC'): string {
  return `
    SELECT agg_trade_id FROM trades INDEXED BY ${TRADE_TIMES_INDEX}
    WHERE symbol_id = ? AND trade_time ${compared} ?
    ORDER BY trade_time ${direction}, agg_trade_id ${direction} LIMIT 1`;
}

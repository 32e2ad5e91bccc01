// Trades in PostgreSQL: each once, by (symbol, id). With TimescaleDB they leave by whole chunks.
import type { AggTrade } from '../../core/market/agg-trade.ts';
import { isVoid } from '../../core/market/agg-trade.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { EPOCH_MS_MAX, type EpochMs } from '../../core/market/time.ts';
import type { SqlInput, SqlOutput } from '../candle-row.ts';
import type { TradePruning, TradeQuery } from '../candle-store.ts';
import { bindTrade, TRADE_COLUMNS, TRADE_VALUE_COLUMNS, tradeOf } from '../trade-row.ts';
import { begin, type Client, type Connection, rowsOf, type Transaction } from './connection.ts';
import { dropChunks, isHypertable } from './extension.ts';
import type { SymbolRows } from './symbol-rows.ts';
import { columnArrays, TRADES_TABLE } from './tables.ts';

/** A type for each of `TRADE_COLUMNS`; whatever is not named is a bigint. */
const TYPES: Readonly<Record<string, string>> = {
  symbol_id: 'integer',
  price_scale: 'smallint',
  quantity_scale: 'smallint',
  buyer_is_maker: 'boolean',
};

/** A trade that comes again is as it was; only an id that had none may get one. */
const INSERT = `
  INSERT INTO ${TRADES_TABLE} (${TRADE_COLUMNS.join(', ')})
  SELECT * FROM unnest(${TRADE_COLUMNS.map((column, index) => `$${index + 1}::${TYPES[column] ?? 'bigint'}[]`).join(', ')})
  ON CONFLICT (symbol_id, agg_trade_id, trade_time) DO UPDATE SET
    ${TRADE_VALUE_COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}
  WHERE ${TRADES_TABLE}.quantity = 0 AND excluded.quantity > 0`;

const SELECTED = TRADE_VALUE_COLUMNS.map((name) =>
  name === 'buyer_is_maker' ? 'buyer_is_maker::integer' : name,
);

/** One statement must not meet a row twice. Always in one order: two writers never wait for each other. */
export function eachOnce(trades: readonly AggTrade[]): readonly AggTrade[] {
  const once = new Map<string, AggTrade>();
  for (const trade of trades) {
    const key = `${trade.symbol} ${trade.aggTradeId} ${trade.tradeTime}`;
    const known = once.get(key);
    if (known === undefined || isVoid(known)) once.set(key, trade);
  }
  return [...once.values()].sort((a, b) =>
    a.symbol === b.symbol ? a.aggTradeId - b.aggTradeId : a.symbol < b.symbol ? -1 : 1,
  );
}

export async function insertTrades(
  sql: Transaction,
  trades: readonly AggTrade[],
  rows: SymbolRows,
): Promise<void> {
  const inputs: SqlInput[] = [];
  for (const trade of trades) {
    const row = rows.get(trade.symbol);
    if (row === undefined) throw new Error(`Expected a row for ${trade.symbol}`);
    bindTrade(inputs, trade, row.id);
  }
  await rowsOf(sql, INSERT, columnArrays(inputs, TRADE_COLUMNS));
}

const OF_SYMBOL = 'symbol_id = (SELECT id FROM symbols WHERE name = $1)';
/** Named symbols make it one range of the index each, not a scan. */
const ANY_SYMBOL = "symbol_id IN (SELECT id FROM symbols WHERE $1 = '')";

export async function readTrades(client: Client, query: TradeQuery): Promise<readonly AggTrade[]> {
  const { symbol, fromId = 0, toId = Number.MAX_SAFE_INTEGER, limit, take } = query;
  const rows = await rowsOf(
    client,
    `SELECT ${SELECTED.join(', ')} FROM ${TRADES_TABLE}
     WHERE ${OF_SYMBOL} AND agg_trade_id >= $2 AND agg_trade_id <= $3
     ORDER BY agg_trade_id ${take === 'first' ? 'ASC' : 'DESC'} LIMIT $4`,
    [symbol, fromId, toId, Math.max(0, limit)],
  );
  const found = rows.map((row) => tradeOf(row.map(asInteger), symbol));
  return take === 'first' ? found : found.reverse();
}

export async function tradeIdAt(
  client: Client,
  symbol: MarketSymbol,
  time: EpochMs,
  side: 'from' | 'to',
): Promise<number | undefined> {
  const [compared, direction] = side === 'from' ? ['>=', 'ASC'] : ['<=', 'DESC'];
  const [row] = await rowsOf(
    client,
    `SELECT agg_trade_id FROM ${TRADES_TABLE} WHERE ${OF_SYMBOL} AND trade_time ${compared} $2
     ORDER BY trade_time ${direction}, agg_trade_id ${direction} LIMIT 1`,
    [symbol, time],
  );
  return row === undefined ? undefined : Number(row[0]);
}

export function pruneTrades(database: Connection, pruning: TradePruning): Promise<number> {
  const { symbol, before, limit } = pruning;
  return database.use((client) =>
    begin(client, async (sql) => {
      if (symbol === undefined && (await isHypertable(sql, TRADES_TABLE))) {
        return dropChunks(sql, TRADES_TABLE, before);
      }
      const of = symbol === undefined ? ANY_SYMBOL : OF_SYMBOL;
      const { count } = await sql.unsafe(
        `DELETE FROM ${TRADES_TABLE} WHERE (symbol_id, agg_trade_id, trade_time) IN (
           SELECT symbol_id, agg_trade_id, trade_time FROM ${TRADES_TABLE}
           WHERE ${of} AND trade_time < $2 ORDER BY symbol_id, trade_time LIMIT $3)
         AND trade_time < $2`,
        [symbol ?? '', Math.min(before, EPOCH_MS_MAX), limit],
        { prepare: true },
      );
      return count;
    }),
  );
}

/** Integers of 32 bits come as numbers. */
function asInteger(value: unknown): SqlOutput {
  if (typeof value === 'number') return BigInt(value);
  return typeof value === 'bigint' || typeof value === 'string' ? value : null;
}

// Candles in PostgreSQL, with TimescaleDB where the server has it: exact, atomic, several writers at once. Holds no state of its own.
import type { Candle } from '../../core/market/candle.ts';
import type { Interval } from '../../core/market/interval.ts';
import { type Source, sourceId } from '../../core/market/source.ts';
import { type MarketSymbol, marketSymbol } from '../../core/market/symbol.ts';
import { EPOCH_MS_MAX, type EpochMs, epochMs } from '../../core/market/time.ts';
import { candleOf, type SqlOutput } from '../candle-row.ts';
import {
  type CandleQuery,
  type CandleStore,
  type Hole,
  type HoleQuery,
  StoreError,
} from '../candle-store.ts';
import { holesOf, openTimesSql, stepOf } from '../holes.ts';
import {
  countAudits,
  readAudits,
  symbolWishes,
  writeAudits,
  writeSymbolWish,
} from './audit-rows.ts';
import { pruneCandles, writeCandles } from './candle-writer.ts';
import {
  type Client,
  type ConnectionOptions,
  connection,
  rowsOf,
  type SqlValue,
} from './connection.ts';
import type { StoreNotice } from './extension.ts';
import { migrate } from './migrations.ts';
import { SCALES_BEFORE, selectSql, TABLES, tableOf } from './tables.ts';
import { pruneTrades, readTrades, tradeIdAt } from './trade-rows.ts';

/** Of no row: what was never written is one hole. */
const NO_SYMBOL = -1;

export interface TimescaleStoreOptions extends ConnectionOptions {
  readonly source: Source;
  /** Writes are refused, and nothing is migrated. Default false. */
  readonly readOnly?: boolean;
  /** Told once what this server lacks. */
  readonly onNotice?: (notice: StoreNotice) => void;
}

/** @throws StoreError `unreachable`, `foreign-source`, `newer-version`, `unwritable` or `damaged`; the database is then as it was. */
export async function openTimescaleStore(options: TimescaleStoreOptions): Promise<CandleStore> {
  const { source, readOnly = false, onNotice = () => undefined } = options;
  await using opening = new AsyncDisposableStack();
  const database = opening.use(connection(options));
  await migrate({ connection: database, source: sourceId(source), readOnly, onNotice });
  /** Ids never change; a transaction that was rolled back never made one known here. */
  const ids = new Map<MarketSymbol, number>();

  const writable = (): typeof database => {
    if (!readOnly) return database;
    throw new StoreError(
      'unwritable',
      `The ${database.name} is open for reading only: open it for writing`,
    );
  };

  const stack = opening.move();
  return {
    write: async (candles, trades = []) => writeCandles(writable(), candles, trades),
    trades: {
      read: (query) => database.use((client) => readTrades(client, query)),
      idAt: (symbol, time, side) => database.use((client) => tradeIdAt(client, symbol, time, side)),
      prune: async (pruning) => pruneTrades(writable(), pruning),
    },
    read: (query) => database.use((client) => readCandles(client, ids, query)),
    lastOpenTime: (symbol, interval) =>
      database.use((client) => lastOpenTime(client, ids, symbol, interval)),
    symbols: () => database.use(symbolsHeld),
    bytes: () => database.use(databaseBytes),
    holes: (query) => database.use((client) => readHoles(client, ids, query)),
    prune: async (interval, before) => pruneCandles(writable(), interval, before),
    writeAudits: async (audits) => writable().use((client) => writeAudits(client, audits)),
    readAudits: (query) => database.use((client) => readAudits(client, query)),
    countAudits: (range) => database.use((client) => countAudits(client, range)),
    writeSymbolWish: async (wish) => writable().use((client) => writeSymbolWish(client, wish)),
    symbolWishes: () => database.use(symbolWishes),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function readCandles(
  client: Client,
  ids: Map<MarketSymbol, number>,
  query: CandleQuery,
): Promise<readonly Candle[]> {
  const { symbol, interval, from = 0, to = EPOCH_MS_MAX, minRevision = 0, limit, take } = query;
  const id = await idOf(client, ids, symbol);
  if (id === undefined) return [];
  const which = minRevision > 0 ? 'corrected' : 'all';
  const text = selectSql(tableOf(interval), take === 'first' ? 'ASC' : 'DESC', which);
  const rows = await rowsOf(client, text, [
    id,
    interval,
    from,
    to,
    minRevision,
    Math.max(0, limit),
  ]);
  const found = take === 'first' ? rows : rows.toReversed();
  const [first] = found;
  if (first === undefined) return [];
  const [price, volume, quoteVolume] = first.map(Number);
  const scales = { price: price ?? 0, volume: volume ?? 0, quoteVolume: quoteVolume ?? 0 };
  return found.map((row) =>
    candleOf(row.slice(SCALES_BEFORE).map(asInteger), symbol, interval, scales),
  );
}

/** Integers of 32 bits come as numbers. */
function asInteger(value: SqlValue): SqlOutput {
  if (typeof value === 'number') return BigInt(value);
  return typeof value === 'boolean' ? BigInt(value) : value;
}

async function lastOpenTime(
  client: Client,
  ids: Map<MarketSymbol, number>,
  symbol: MarketSymbol,
  interval: Interval,
): Promise<EpochMs | undefined> {
  const id = await idOf(client, ids, symbol);
  if (id === undefined) return undefined;
  const [row] = await rowsOf(
    client,
    `SELECT open_time FROM ${tableOf(interval)} WHERE symbol_id = $1 AND interval = $2
     ORDER BY open_time DESC LIMIT 1`,
    [id, interval],
  );
  return row === undefined ? undefined : epochMs(Number(row[0]));
}

async function readHoles(
  client: Client,
  ids: Map<MarketSymbol, number>,
  query: HoleQuery,
): Promise<readonly Hole[]> {
  const { symbol, interval, from, to, limit } = query;
  const id = (await idOf(client, ids, symbol)) ?? NO_SYMBOL;
  const text = openTimesSql(tableOf(interval), {
    ...{ symbol: '$1', id: '$1', interval: '$2', from: '$3', to: '$4', step: '$5', limit: '$6' },
  });
  const rows = await rowsOf(client, text, [id, interval, from, to, stepOf(query), limit + 1]);
  return holesOf(
    rows.map(([openTime, next]) => [Number(openTime), next === null ? null : Number(next)]),
    query,
  );
}

async function databaseBytes(client: Client): Promise<number> {
  const [row] = await rowsOf(client, 'SELECT pg_database_size(current_database())');
  return Number(row?.[0] ?? 0);
}

async function symbolsHeld(client: Client): Promise<readonly MarketSymbol[]> {
  const holds = (table: string) => `EXISTS (SELECT 1 FROM ${table} WHERE symbol_id = symbols.id)`;
  const rows = await rowsOf(
    client,
    `SELECT name FROM symbols WHERE ${Object.values(TABLES).map(holds).join(' OR ')}`,
  );
  return rows.map(([name]) => marketSymbol(String(name))).toSorted();
}

async function idOf(
  client: Client,
  ids: Map<MarketSymbol, number>,
  symbol: MarketSymbol,
): Promise<number | undefined> {
  const known = ids.get(symbol);
  if (known !== undefined) return known;
  const [row] = await rowsOf(client, 'SELECT id FROM symbols WHERE name = $1', [symbol]);
  if (row === undefined) return undefined;
  ids.set(symbol, Number(row[0]));
  return Number(row[0]);
}

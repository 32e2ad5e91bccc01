// Candles in one SQLite file: exact, atomic, one writer. Built into Node; it is synchronous, so callers keep batches small.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Candle } from '../../core/market/candle.ts';
import type { Interval } from '../../core/market/interval.ts';
import { type Source, sourceId } from '../../core/market/source.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import { type EpochMs, epochMs } from '../../core/market/time.ts';
import { bindCandle, candleOf, type SqlInput, type SqlOutput } from '../candle-row.ts';
import {
  type CandleQuery,
  type CandleStore,
  type Hole,
  type HoleQuery,
  StoreError,
} from '../candle-store.ts';
import { holesOf, openTimesSql, stepOf } from '../holes.ts';
import { auditTable } from './audit-table.ts';
import { selectSql, upsertSql } from './candle-sql.ts';
import { openDatabase, withStoreErrors } from './open-database.ts';
import { type SymbolRow, type SymbolTable, symbolTable } from './symbol-table.ts';
import { tradeTable } from './trade-table.ts';

/** Of no row: what was never written is one hole. */
const NO_SYMBOL = -1;

/** Rows one INSERT writes: twice as fast as one by one. */
const ROWS_PER_INSERT = 8;

export interface SqliteStoreOptions {
  /** The database file; missing folders are made. `<path>.lock` beside it keeps a second writer out. */
  readonly path: string;
  readonly source: Source;
  /** Reads beside a writer of another process; writes are refused. Default false. */
  readonly readOnly?: boolean;
}

/**
 * @throws StoreError `foreign-source`, `newer-version`, `unwritable`, `locked` or `damaged`; the
 * file is then as it was.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<CandleStore> {
  const { path, readOnly = false } = options;
  const open = openDatabase(path, sourceId(options.source), readOnly);
  const { database } = open;
  const symbols = symbolTable(database);
  const reader = candleReader(database, symbols);
  const audits = auditTable(database);
  const trades = tradeTable(database, symbols);
  const writer = readOnly ? undefined : candleWriter(database, symbols);
  let isClosed = false;

  const use = <T>(act: () => T): T => {
    if (isClosed) throw new Error(`The candle store "${path}" is closed`);
    return withStoreErrors(path, act);
  };

  const write = <T>(act: (writer: CandleWriter) => T): T =>
    use(() => {
      if (writer !== undefined)
        return inTransaction('BEGIN IMMEDIATE', database, symbols, () => act(writer));
      throw new StoreError('unwritable', `"${path}" is open for reading only: open it for writing`);
    });

  /** Another process may widen a scale: it must be read in one snapshot with the rows under it. */
  const read = <T>(act: () => T): T =>
    use(() => {
      if (!readOnly) return act();
      symbols.forget();
      return inTransaction('BEGIN', database, symbols, act);
    });

  return {
    write: async (candles, written = []) =>
      write((rows) => {
        rows.upsert(candles);
        trades.insert(written);
      }),
    trades: {
      read: async (query) => read(() => trades.read(query)),
      idAt: async (symbol, time, side) => read(() => trades.idAt(symbol, time, side)),
      prune: async (pruning) => write(() => trades.prune(pruning)),
    },
    read: async (query) => read(() => reader.read(query)),
    lastOpenTime: async (symbol, interval) =>
      read(() => {
        const row = symbols.find(symbol);
        return row === undefined ? undefined : reader.lastOpenTime(row, interval);
      }),
    symbols: async () => read(() => reader.names().map(marketSymbol).toSorted()),
    bytes: async () => use(() => sizeOf(path)),
    holes: async (query) => read(() => reader.holes(query)),
    prune: async (interval, before) => write((rows) => rows.prune(interval, before)),
    writeAudits: async (written) => write(() => audits.write(written)),
    readAudits: async (query) => read(() => audits.read(query)),
    countAudits: async (query) => read(() => audits.count(query)),
    writeSymbolWish: async (wish) => write(() => audits.writeWish(wish)),
    symbolWishes: async () => read(() => audits.wishes()),
    async [Symbol.asyncDispose]() {
      if (isClosed) return;
      isClosed = true;
      open[Symbol.dispose]();
    },
  };
}

/** Freed pages are used again, so it stays where the keep settings hold it; it never shrinks. */
function sizeOf(path: string): number {
  return ['', '-wal', '-shm', '.lock'].reduce(
    (sum, end) => sum + (statSync(path + end, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

interface CandleReader {
  read(query: CandleQuery): readonly Candle[];
  lastOpenTime(row: SymbolRow, interval: Interval): EpochMs | undefined;
  holes(query: HoleQuery): readonly Hole[];
  names(): readonly string[];
}

function candleReader(database: DatabaseSync, symbols: SymbolTable): CandleReader {
  const select = { first: rows(selectSql('ASC', 'all')), last: rows(selectSql('DESC', 'all')) };
  const selectCorrected = {
    first: rows(selectSql('ASC', 'corrected')),
    last: rows(selectSql('DESC', 'corrected')),
  };
  const last = database.prepare(
    'SELECT max(open_time) AS last FROM candles WHERE symbol_id = ? AND interval = ?',
  );
  const ends = rows(
    openTimesSql('candles', {
      ...{ symbol: '?1', id: '?1', interval: '?2', from: '?3', to: '?4', step: '?5', limit: '?6' },
    }),
  );
  const names = database.prepare(
    'SELECT name FROM symbols WHERE EXISTS (SELECT 1 FROM candles WHERE symbol_id = symbols.id)',
  );

  function rows(sql: string): StatementSync {
    const statement = database.prepare(sql);
    statement.setReturnArrays(true);
    statement.setReadBigInts(true);
    return statement;
  }

  return {
    read(query) {
      const { symbol, interval, from = 0, to = Number.MAX_SAFE_INTEGER, limit, take } = query;
      const { minRevision = 0 } = query;
      const row = symbols.find(symbol);
      if (row === undefined) return [];
      const rowsOf = minRevision > 0 ? selectCorrected[take] : select[take];
      const found = rowsOf.all(row.id, interval, from, to, minRevision, Math.max(0, limit));
      if (take === 'last') found.reverse();
      return found.map((values) => candleOf(asArray(values), symbol, interval, row.scales));
    },
    lastOpenTime(row, interval) {
      const time = last.get(row.id, interval)?.['last'];
      return typeof time === 'number' ? epochMs(time) : undefined;
    },
    holes(query) {
      const id = symbols.find(query.symbol)?.id ?? NO_SYMBOL;
      const { interval, from, to, limit } = query;
      const found = ends.all(id, interval, from, to, stepOf(query), limit + 1).map(asArray);
      return holesOf(
        found.map(([openTime, next]) => [Number(openTime), next === null ? null : Number(next)]),
        query,
      );
    },
    names: () => names.all().map(({ name }) => String(name)),
  };
}

interface CandleWriter {
  upsert(candles: readonly Candle[]): void;
  prune(interval: Interval, before: EpochMs): number;
}

function candleWriter(database: DatabaseSync, symbols: SymbolTable): CandleWriter {
  const upsertOne = database.prepare(upsertSql(1));
  const upsertMany = database.prepare(upsertSql(ROWS_PER_INSERT));
  // Named symbols make it one range of the primary key each, not a scan.
  const prune = database.prepare(
    'DELETE FROM candles WHERE symbol_id IN (SELECT id FROM symbols) AND interval = ? AND open_time < ?',
  );

  return {
    upsert(candles) {
      const rows = symbols.rowsFor(candles);
      const manyUntil = candles.length - (candles.length % ROWS_PER_INSERT);
      let inputs: SqlInput[] = [];
      candles.forEach((candle, index) => {
        const row = rows.get(candle.symbol);
        if (row === undefined) throw new Error(`Expected a row for ${candle.symbol}`);
        bindCandle(inputs, candle, row.id, row.scales);
        if (index < manyUntil && index % ROWS_PER_INSERT !== ROWS_PER_INSERT - 1) return;
        (index < manyUntil ? upsertMany : upsertOne).run(...inputs);
        inputs = [];
      });
    },
    prune: (interval, before) => Number(prune.run(interval, before).changes),
  };
}

/** All of `act` or nothing; scales remembered from a rolled back transaction are forgotten. */
function inTransaction<T>(
  begin: 'BEGIN' | 'BEGIN IMMEDIATE',
  database: DatabaseSync,
  symbols: SymbolTable,
  act: () => T,
): T {
  database.exec(begin);
  try {
    const result = act();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    symbols.forget();
    // SQLite itself rolls back when the disk is full or failing.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Rows of a statement that was told to return arrays: its type does not say so. */
function asArray(row: unknown): readonly SqlOutput[] {
  assert(Array.isArray(row), 'Expected a row as an array');
  return row;
}

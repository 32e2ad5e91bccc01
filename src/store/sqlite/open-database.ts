// Opens the database file: one writer at a time, our format only, one source only. It never writes to a file it does not know.
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { DurationMs } from '../../core/market/time.ts';
import { StoreError } from '../candle-store.ts';
import { MIGRATIONS, migrate, versionOf } from './migrations.ts';

/** Marks the file as ours (SQLite's `application_id`): "Wick". */
const APPLICATION_ID = 0x5769636b;

/** How long a statement waits for a reader's or the checkpoint's lock. */
const BUSY_TIMEOUT_MS: DurationMs = 2_000;

/** How long an opener waits for a process that is just ending. */
const LOCK_TIMEOUT_MS: DurationMs = 250;

/** Memory for pages, per connection. */
const CACHE_KIB = 16_384;

/** What the write-ahead log is cut to after a checkpoint. */
const WAL_BYTES_MAX = 67_108_864;

/** Larger files are not read through at the start (16 MiB take some 50 ms): damage there shows when it is read. */
const QUICK_CHECK_BYTES_MAX = 16_777_216;

export interface OpenDatabase extends Disposable {
  readonly database: DatabaseSync;
}

/**
 * @param source `sourceId` of what the candles come from; a new file takes it, any other refuses another (I10).
 * @throws StoreError naming the path and the remedy.
 */
export function openDatabase(path: string, source: string, readOnly: boolean): OpenDatabase {
  using stack = new DisposableStack();
  if (!readOnly) stack.use(lockForWriting(path));
  const database = withStoreErrors(path, () => {
    const opened = stack.adopt(new DatabaseSync(path, { readOnly }), (one) => one.close());
    opened.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    const version = checkIsOurs(path, opened);
    checkWhole(path, opened);
    if (version > 0) checkSource(path, opened, source);
    if (readOnly) checkMigrated(path, version);
    else prepareForWriting(opened, source);
    opened.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
    return opened;
  });
  const opened = stack.move();
  return { database, [Symbol.dispose]: () => opened.dispose() };
}

/** Runs `act` and turns SQLite's failures into the caller's decisions. */
export function withStoreErrors<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw asStoreError(path, error);
  }
}

/**
 * A file beside the database, held by SQLite's own exclusive lock: the system frees it with the
 * process, however that ends, and readers of the database are not shut out.
 */
function lockForWriting(path: string): Disposable {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw unwritable(path, error);
  }
  const lock = withStoreErrors(`${path}.lock`, () => new DatabaseSync(`${path}.lock`));
  try {
    lock.exec(`PRAGMA busy_timeout = ${LOCK_TIMEOUT_MS}; BEGIN EXCLUSIVE`);
  } catch (error) {
    lock.close();
    throw asStoreError(sqliteCode(error) === SQLITE_BUSY ? path : `${path}.lock`, error);
  }
  return { [Symbol.dispose]: () => lock.close() };
}

/** The file's version; 0 for an empty file. Reads only. */
export function checkIsOurs(path: string, database: DatabaseSync): number {
  const version = versionOf(database);
  const applicationId = numberOf(database, 'PRAGMA application_id');
  const tables = numberOf(database, 'SELECT count(*) FROM sqlite_schema');
  if (applicationId !== APPLICATION_ID && (tables > 0 || applicationId !== 0)) {
    throw new StoreError(
      'foreign-source',
      `Expected candles in "${path}", it holds the tables of another program: choose another data directory`,
    );
  }
  if (version > MIGRATIONS.length) {
    throw new StoreError(
      'newer-version',
      `Expected version ${MIGRATIONS.length} or older in "${path}", it is ${version}: update this program, or choose another data directory`,
    );
  }
  return version;
}

function checkWhole(path: string, database: DatabaseSync): void {
  if (statSync(path).size > QUICK_CHECK_BYTES_MAX) return;
  const answer = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0];
  if (answer !== 'ok') throw damaged(path, new Error(String(answer)));
}

function checkSource(path: string, database: DatabaseSync, source: string): void {
  const kept = database.prepare(`SELECT value FROM meta WHERE key = 'source'`).get()?.['value'];
  if (kept === undefined || kept === source) return;
  throw new StoreError(
    'foreign-source',
    `Expected candles of ${source} in "${path}", they are of ${kept}: real and simulated candles never mix, choose another data directory`,
  );
}

function checkMigrated(path: string, version: number): void {
  if (version === MIGRATIONS.length) return;
  throw new StoreError(
    'unwritable',
    `Expected version ${MIGRATIONS.length} in "${path}", it is ${version} and opened for reading only: open it for writing once`,
  );
}

function prepareForWriting(database: DatabaseSync, source: string): void {
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA foreign_keys = ON;
    PRAGMA journal_size_limit = ${WAL_BYTES_MAX};
    PRAGMA application_id = ${APPLICATION_ID};
  `);
  migrate(database);
  database
    .prepare(`INSERT INTO meta (key, value) VALUES ('source', ?) ON CONFLICT DO NOTHING`)
    .run(source);
}

function numberOf(database: DatabaseSync, sql: string): number {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);
}

/** @see https://www.sqlite.org/rescode.html primary result codes */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

function asStoreError(path: string, error: unknown): unknown {
  if (error instanceof StoreError) return error;
  switch (sqliteCode(error)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new StoreError(
        'locked',
        `Expected to be the only writer of "${path}", another process has it open: stop that one, or choose another data directory`,
        { cause: error },
      );
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
      return unwritable(path, error);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return damaged(path, error);
    default:
      return error;
  }
}

function unwritable(path: string, error: unknown): StoreError {
  return new StoreError(
    'unwritable',
    `Cannot open or write "${path}" (${messageOf(error)}): check that its folder exists, is writable and has space, or choose another data directory`,
    { cause: error },
  );
}

function damaged(path: string, error: unknown): StoreError {
  return new StoreError(
    'damaged',
    `"${path}" is no whole SQLite database (${messageOf(error)}): move it away and start anew, or restore a copy`,
    { cause: error },
  );
}

/** In one line, as the messages it goes into. */
function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');
}

/** The primary code, without its extension; undefined for other errors. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

// The connections to one PostgreSQL server. Its faults become StoreErrors that name the database and the remedy, never the password. Retries nothing: whoever writes does.
import postgres, { type Sql, type TransactionSql } from 'postgres';
import type { DurationMs } from '../../core/market/time.ts';
import { StoreError } from '../candle-store.ts';

/** At the limit a statement waits for a connection. Dashboards read beside the one that writes. */
export const CONNECTIONS_MAX = 4;

export const CONNECT_TIMEOUT_MS: DurationMs = 10_000;

/** What the server itself ends: a bulk of rows into compressed chunks takes seconds. */
export const STATEMENT_TIMEOUT_MS: DurationMs = 60_000;

/** A server that says nothing any more (paused, its network gone): the connections are given up and made anew. */
export const ANSWER_TIMEOUT_MS: DurationMs = STATEMENT_TIMEOUT_MS + CONNECT_TIMEOUT_MS;

/** How long a closing store waits for what is under way. */
const CLOSE_TIMEOUT_S = 3;

export type Types = { readonly bigint: bigint };
export type Client = Sql<Types>;
export type Transaction = TransactionSql<Types>;
export type SqlValue = string | number | bigint | boolean | null;

export interface ConnectionOptions {
  /** `postgres://user:password@host:port/database?…`; what follows the `?` goes to the server. */
  readonly url: string;
  /** Default `CONNECTIONS_MAX`. */
  readonly connections?: number;
  /** Default `ANSWER_TIMEOUT_MS`. */
  readonly answerTimeoutMs?: DurationMs;
}

export interface Connection extends AsyncDisposable {
  /** For messages: without user or password. */
  readonly name: string;
  /** @throws StoreError where the server is the cause. `timeoutMs`: default `answerTimeoutMs`, 0 for none. */
  use<T>(act: (client: Client) => Promise<T>, timeoutMs?: DurationMs): Promise<T>;
}

/** Connects when it is first used. */
export function connection(options: ConnectionOptions): Connection {
  const { url, connections = CONNECTIONS_MAX, answerTimeoutMs = ANSWER_TIMEOUT_MS } = options;
  const name = databaseName(url);
  let client: Client | undefined;
  let isClosed = false;

  const open = (): Client =>
    postgres(url, {
      max: connections,
      connect_timeout: CONNECT_TIMEOUT_MS / 1_000,
      // Integers of 64 bits as such; no look-up of other types at each connection.
      types: { bigint: postgres.BigInt },
      fetch_types: false,
      connection: {
        application_name: 'wickstream',
        statement_timeout: STATEMENT_TIMEOUT_MS,
      },
      onnotice: () => undefined,
    });

  return {
    name,
    async use(act, timeoutMs = answerTimeoutMs) {
      if (isClosed) throw new Error(`The candle store in ${name} is closed`);
      client ??= open();
      const used = client;
      try {
        return await withDeadline(act(used), timeoutMs);
      } catch (error) {
        if (client === used && (error instanceof NoAnswerError || isLost(error))) {
          // What a lost connection left half written would go out before the next one's greeting.
          client = undefined;
          void used.end({ timeout: 0 }).catch(() => undefined); // Nothing is left to hear from it.
        }
        throw asStoreError(name, error);
      }
    },
    async [Symbol.asyncDispose]() {
      if (isClosed) return;
      isClosed = true;
      await client?.end({ timeout: CLOSE_TIMEOUT_S });
    },
  };
}

/**
 * All of `act` or nothing. The driver would answer a failure with a `rollback`, also where the connection itself is gone: that write ends the
 * process. So a transaction never hears that its connection is lost; this rejects all the same, for the driver tells of it here, too.
 * @see https://github.com/porsager/postgres/issues/1154
 */
export async function begin<T>(
  client: Client,
  act: (sql: Transaction) => Promise<T>,
  mode = '',
): Promise<T> {
  // The driver's type is that of lists of promises.
  return (await client.begin(mode, (sql) => unlessLost(act(sql)))) as T;
}

/** A part of a transaction that may fail alone. */
export async function savepoint<T>(
  sql: Transaction,
  act: (sql: Transaction) => Promise<T>,
): Promise<T> {
  return (await sql.savepoint((part) => unlessLost(act(part)))) as T;
}

async function unlessLost<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isLost(error)) return new Promise<T>(() => undefined);
    throw error;
  }
}

/** Whether an open connection has ended. */
function isLost(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'CONNECTION_CLOSED' || ('syscall' in error && error.syscall !== 'connect');
}

/** Rows as arrays, integers of 64 bits as bigint. */
export async function rowsOf(
  sql: Client | Transaction,
  text: string,
  values: readonly SqlValue[] = [],
): Promise<readonly (readonly SqlValue[])[]> {
  return sql.unsafe(text, [...values], { prepare: values.length > 0 }).values();
}

class NoAnswerError extends Error {}

async function withDeadline<T>(work: Promise<T>, timeoutMs: DurationMs): Promise<T> {
  if (timeoutMs === 0) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new NoAnswerError(`no answer within ${timeoutMs / 1_000} s`)),
    timeoutMs,
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    // Who lost the race is told already.
    work.catch(() => undefined);
  }
}

function databaseName(url: string): string {
  const { host, pathname, searchParams } = new URL(url);
  const server = host === '' ? (searchParams.get('host') ?? 'localhost') : host;
  return `database "${decodeURIComponent(pathname.slice(1))}" on ${server}`;
}

type Fault = readonly [code: StoreError['code'], remedy: string];

const UNREACHABLE: Fault = [
  'unreachable',
  'check that PostgreSQL runs there, or correct --database-url (DATABASE_URL)',
];
const REFUSED: Fault = [
  'unwritable',
  'check user, password and their rights in --database-url (DATABASE_URL)',
];
const FULL: Fault = ['unwritable', 'make space on the server, or let it accept writes'];
const BUSY: Fault = ['locked', 'another session holds its tables; it is tried again'];
const DAMAGED: Fault = ['damaged', 'restore a backup, or choose another database'];

/** By SQLSTATE, or by its class (two characters). @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
const FAULTS: Readonly<Record<string, Fault>> = {
  '08': UNREACHABLE,
  '57': UNREACHABLE,
  '3D': ['unreachable', 'create that database, or correct --database-url (DATABASE_URL)'],
  '28': REFUSED,
  '42501': REFUSED,
  '53': FULL,
  '53300': ['unreachable', 'too many connections are open there'],
  '25006': FULL,
  '55P03': BUSY,
  '57014': BUSY,
  '40': BUSY,
  XX: DAMAGED,
  '42P01': DAMAGED,
  '42703': DAMAGED,
};

function asStoreError(name: string, error: unknown): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) return error;
  const fault = faultOf(error);
  if (fault === undefined) return error;
  const [code, remedy] = fault;
  const reason = error.message.replaceAll(/\s+/g, ' ');
  return new StoreError(code, `The ${name} failed (${reason}): ${remedy}`, { cause: error });
}

function faultOf(error: Error): Fault | undefined {
  if (error instanceof NoAnswerError) return UNREACHABLE;
  const code = 'code' in error ? String(error.code) : '';
  if (error instanceof postgres.PostgresError) return FAULTS[code] ?? FAULTS[code.slice(0, 2)];
  // The socket's own, and those of the driver: CONNECTION_CLOSED, CONNECT_TIMEOUT …
  return /^(E[A-Z]{3,}|CONNECT)/.test(code) ? UNREACHABLE : undefined;
}

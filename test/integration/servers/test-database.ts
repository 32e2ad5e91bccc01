// A PostgreSQL-speaking server for tests: where it is, and what of it is shared. Each store under test gets a schema of its own.
import postgres from 'postgres';

export interface TestServer extends AsyncDisposable {
  /** For test names. */
  readonly name: string;
  readonly url: string;
  /** How many connections at once it takes; undefined: enough. */
  readonly connections?: number;
}

let schemas = 0;

/** The URL of an empty schema, `public` (with the extensions) behind it. */
export async function freshSchema(server: TestServer): Promise<string> {
  schemas += 1;
  const schema = `wickstream_test_${process.pid}_${schemas}`;
  await execute(server.url, `CREATE SCHEMA ${schema}`);
  const url = new URL(server.url);
  url.searchParams.set('search_path', `${schema},public`);
  return url.href;
}

/** Removes what `freshSchema` made. */
export async function dropSchema(server: TestServer, url: string): Promise<void> {
  const [schema] = new URL(url).searchParams.get('search_path')?.split(',') ?? [];
  await execute(server.url, `DROP SCHEMA ${schema} CASCADE`);
}

/** Rows of a statement of the test's own, on a connection of its own. */
export async function execute(url: string, text: string): Promise<readonly postgres.Row[]> {
  const client = postgres(url, { max: 1, onnotice: () => undefined, fetch_types: false });
  try {
    return await client.unsafe(text);
  } finally {
    await client.end();
  }
}

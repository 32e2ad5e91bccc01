// PostgreSQL as Debian packages it, a server of the test's own in a temporary folder. Needs the package `postgresql`; where root runs the tests, the server runs as its user `postgres`.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import postgres from 'postgres';
import type { TestServer } from './test-database.ts';

const PACKAGES = '/usr/lib/postgresql';
const READY_TRIES_MAX = 100;
const READY_PAUSE_MS = 100;

export interface DebianPostgres extends TestServer {
  /** Pauses and resumes the whole server, as a machine that hangs. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** kill -9 of the server; its data stays. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the same data. */
  restart(): Promise<void>;
}

/** The folder of the newest version's programs; undefined where the package is not installed. */
export function debianPostgresPrograms(): string | undefined {
  if (!existsSync(PACKAGES)) return undefined;
  const versions = readdirSync(PACKAGES).map(Number).filter(Number.isInteger);
  const newest = Math.max(0, ...versions);
  return newest === 0 ? undefined : join(PACKAGES, String(newest), 'bin');
}

export async function startDebianPostgres(programs: string): Promise<DebianPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'wickstream-postgres-'));
  const data = join(folder, 'data');
  const owner = process.getuid?.() === 0 ? userOf('postgres') : undefined;
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  execFileSync(
    join(programs, 'initdb'),
    ['-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync', '-E', 'UTF8', '--locale=C.UTF-8'],
    { stdio: 'ignore', cwd: folder, ...owner },
  );
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const run = () =>
    spawn(
      join(programs, 'postgres'),
      ['-D', data, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1'],
      { stdio: 'ignore', cwd: folder, ...owner },
    );
  let server = run();
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill(signal);
    await exited;
  };
  await untilReady(url);
  return {
    name: 'PostgreSQL',
    url,
    signal: (signal) => void execFileSync('kill', [`-${signal}`, ...family(server.pid ?? 0)]),
    async kill() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const exited = once(server, 'exit');
      // Its processes too: a session outlives the one that made it.
      execFileSync('kill', ['-KILL', ...family(server.pid ?? 0)]);
      await exited;
    },
    async restart() {
      server = run();
      await untilReady(url);
    },
    async [Symbol.asyncDispose]() {
      // SIGQUIT: at once, without a checkpoint; the data is thrown away.
      await end('SIGQUIT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server and its processes. */
function family(pid: number): string[] {
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return [String(pid), ...children.split(/\s+/).filter((each) => each !== '')];
}

async function untilReady(url: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const client = postgres(url, { max: 1, connect_timeout: 2, fetch_types: false });
    try {
      await client.unsafe('SELECT 1');
      return;
    } catch (error) {
      if (tries === READY_TRIES_MAX) throw error;
    } finally {
      await client.end({ timeout: 0 });
    }
    await setTimeout(READY_PAUSE_MS);
  }
}

function userOf(name: string): { readonly uid: number; readonly gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('Expected a port');
  return address.port;
}

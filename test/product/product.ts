// Runs the product as a user does, a process of its own, against a fake exchange or a simulated market: for end-to-end tests and benchmarks.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

export const ROOT = join(import.meta.dirname, '../..');
const READY_DEADLINE_MS = 30_000;
const LINES_KEPT = 2_000;

/** It ends by itself when the channel to this process closes. */
const OWN_COMMAND: readonly [string, ...string[]] = [
  process.execPath,
  `--import=${pathToFileURL(join(ROOT, 'scripts/stop-with-parent.mjs')).href}`,
  join(ROOT, 'src/app/main.ts'),
  'up',
];

export interface ProductOptions {
  readonly dataDir: string;
  /** An exchange to speak to; without one, say `--source` in `args`. */
  readonly exchange?: { readonly wsUrl: string; readonly restUrl: string };
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What is run, with the settings after it. Default: `up` by this Node with the sources. */
  readonly command?: readonly [string, ...string[]];
}

export interface Product extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** The newest lines of its log. */
  readonly lines: readonly string[];
  /** Its exit code, once it has ended; null where a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Resident memory in MiB. Linux only. */
  residentMiB(): number;
  /** As Ctrl-C does; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** kill -9. */
  kill(): Promise<void>;
}

/** Resolves when its dashboard's address is open. Rejects, with its log, where it ends before that. */
export async function startProduct(options: ProductOptions): Promise<Product> {
  const [program, ...first] = options.command ?? OWN_COMMAND;
  const child = spawn(program, [...first, ...productArgs(options)], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...options.env },
  });
  // No product outlives the process that tests it: killed when that ends, asked to stop when that is killed.
  const killChild = () => child.kill('SIGKILL');
  process.once('exit', killChild);
  const exited = once(child, 'exit').then(([code]: (number | null)[]) => {
    process.off('exit', killChild);
    return code ?? null;
  });
  const lines: string[] = [];
  const url = await readyUrl(child, lines, exited).catch((error: unknown) => {
    killChild();
    throw error;
  });
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return exited;
  };
  const pid = child.pid ?? 0;
  return {
    url,
    pid,
    lines,
    exited,
    residentMiB: () => residentMiB(pid),
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  };
}

export function productArgs({ dataDir, exchange, args = [] }: ProductOptions): string[] {
  const source =
    exchange === undefined
      ? []
      : [
          ...['--source', 'binance'],
          ...['--binance-ws-url', exchange.wsUrl, '--binance-rest-url', exchange.restUrl],
        ];
  return ['--port', '0', '--data-dir', dataDir, '--log-format', 'json', ...source, ...args];
}

async function readyUrl(
  child: ChildProcess,
  lines: string[],
  exited: Promise<number | null>,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line);
      if (lines.length > LINES_KEPT) lines.shift();
      const url = /"url":"(http:[^"]+)"/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
  }
  const failed = (why: string) => reject(new Error(`${why}:\n${lines.slice(-20).join('\n')}`));
  const deadline = setTimeout(() => failed('The product was not ready in time'), READY_DEADLINE_MS);
  exited.then(
    (code) => failed(`The product ended with code ${code} before it was ready`),
    (error) => reject(error),
  );
  return promise.finally(() => clearTimeout(deadline));
}

/** Of the program itself, where `pid` is the script that launched it. */
function residentMiB(pid: number): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  if (child !== undefined && child !== '') return residentMiB(Number(child));
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1_024;
}

// Runs the product as a supervisor does: starts it, kills it, pauses it, starts it again, and watches each of its lives from outside.
// One order at a time; decides nothing about when.
import { spawn } from 'node:child_process';
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeExchange } from '../fake-exchange/fake-exchange.ts';
import { type Product, startProduct } from '../product/product.ts';
import { type KlineWatch, watchKlines } from './kline-watch.ts';

export interface Life {
  readonly product: Product;
  readonly watch: KlineWatch;
  /** `exit`: by itself. */
  end: 'kill' | 'stop' | 'exit' | undefined;
  exitCode: number | null | undefined;
}

export interface Keeper extends AsyncDisposable {
  readonly lives: readonly Life[];
  /** What it said when it ended by itself, or did not start; a good run leaves this empty, or as its fault foresees. */
  readonly exits: readonly string[];
  pid(): number | undefined;
  /** How often it was launched: a new process knows nothing of what the exchange told the one before. */
  launches(): number;
  /** Tries until it runs: a supervisor does not give up. Nothing where it runs already. */
  start(): Promise<void>;
  /** kill -9, `downMs` without it, and a new start. `meanwhile` happens before that. */
  kill(downMs: number, meanwhile?: () => Promise<void>): Promise<void>;
  /** Since when it has not been paused (`performance.now()`): `Infinity` while it is. */
  resumedAt(): number;
  /** SIGSTOP for so long. */
  pause(ms: number): Promise<void>;
  /** Resolves with the exit code; `undefined` where it does not run. */
  stop(): Promise<number | null | undefined>;
}

export interface KeeperOptions {
  readonly exchange: FakeExchange;
  readonly dataDir: string;
  readonly symbols: readonly string[];
  /** All it says goes here. */
  readonly logFile: string;
  /** More flags. */
  readonly args?: readonly string[];
}

const START_TRIES_MAX = 10;
const START_PAUSE_MS = 1_000;

export function createKeeper(options: KeeperOptions): Keeper {
  const { exchange, dataDir, symbols, logFile } = options;
  const lives: Life[] = [];
  const exits: string[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  let launches = 0;
  let resumedAt = 0;
  let isClosed = false;

  /** One after the other; a failure is the caller's, not the next one's. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const result = turn.then(act);
    turn = result.catch(() => undefined);
    return result;
  }

  const running = (): Life | undefined => {
    const last = lives.at(-1);
    return last?.end === undefined ? last : undefined;
  };

  async function launch(): Promise<void> {
    launches += 1;
    const product = await startProduct({
      exchange,
      dataDir,
      args: ['--symbols', symbols.join(','), ...(options.args ?? [])],
    });
    const watch = await watchKlines(product.url, symbols, exchange.now).catch(async (error) => {
      await product.kill();
      throw error;
    });
    const life: Life = { product, watch, end: undefined, exitCode: undefined };
    lives.push(life);
    void product.exited.then((code) => {
      life.exitCode = code;
      if (life.end !== undefined) return;
      life.end = 'exit';
      life.watch.end();
      exits.push(`ended by itself with ${code}: ${lastMessage(life.product.lines)}`);
      if (!isClosed) void inTurn(start).catch(() => undefined);
    });
  }

  async function start(): Promise<void> {
    for (let tries = 1; running() === undefined && !isClosed; tries++) {
      try {
        await launch();
      } catch (error) {
        exits.push(`did not start: ${lastMessage(String(error).split('\n'))}`);
        if (tries === START_TRIES_MAX) throw error;
        await sleep(START_PAUSE_MS);
      }
    }
  }

  async function end(life: Life, how: 'kill' | 'stop'): Promise<number | null> {
    life.end = how;
    life.watch.end();
    if (how === 'kill') await life.product.kill();
    else await life.product.stop();
    await mkdir(dirname(logFile), { recursive: true });
    await appendFile(logFile, `${life.product.lines.join('\n')}\n— ${how}\n`);
    return life.product.exited;
  }

  return {
    lives,
    exits,
    launches: () => launches,
    resumedAt: () => resumedAt,
    pid: () => running()?.product.pid,
    start: () => inTurn(start),
    kill: (downMs, meanwhile) =>
      inTurn(async () => {
        const life = running();
        if (life !== undefined) await end(life, 'kill');
        await sleep(downMs);
        await meanwhile?.();
        await start();
      }),
    pause: (ms) =>
      inTurn(async () => {
        const life = running();
        if (life === undefined) return;
        resumedAt = Number.POSITIVE_INFINITY;
        process.kill(life.product.pid, 'SIGSTOP');
        wakeLater(life.product.pid, ms);
        await sleep(ms);
        if (life.end === undefined) process.kill(life.product.pid, 'SIGCONT');
        resumedAt = performance.now();
      }),
    stop: () =>
      inTurn(async () => {
        const life = running();
        return life === undefined ? undefined : end(life, 'stop');
      }),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await turn;
      const life = running();
      if (life !== undefined) await end(life, 'kill');
    },
  };
}

/** Where this process is killed meanwhile, nobody else would. */
function wakeLater(pid: number, ms: number): void {
  const script = `sleep ${Math.ceil(ms / 1_000) + 1}; kill -CONT ${pid}`;
  spawn('sh', ['-c', script], { detached: true, stdio: 'ignore' }).unref();
}

/** The last line that says something, as text. */
function lastMessage(lines: readonly string[]): string {
  const line = lines.findLast((each) => each.trim() !== '') ?? '';
  return /"msg":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? line;
}

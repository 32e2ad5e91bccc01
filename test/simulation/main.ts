// `npm run test:simulation`: runs seeds, in processes of their own where several are wanted at once, and says what came of them.
import { fork } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunOptions, readOptions, USAGE, UsageError } from './options.ts';
import { createTotals, reportOf, type SeedReport } from './report.ts';
import { simulate } from './simulate.ts';

/** A run that has not ended after so long (real ms) hangs: promises turn round and round. */
const SEED_REAL_MS_MAX = 600_000;
/** A life that was killed lets go of nothing it waited for, and Node keeps such signals: some 40 MB a seed, until the process ends. */
const SEEDS_A_PROCESS = 10;
const PROGRESS_INTERVAL_MS = 10_000;

type Ask = (seed: number) => Promise<SeedReport>;

async function runHere(seed: number, options: RunOptions): Promise<SeedReport> {
  const { hours, kinds } = options;
  const keepTrace = options.seeds.length === 1;
  const run = { seed, hours, ...(kinds === undefined ? {} : { kinds }) };
  const outcome = await simulate({ ...run, keepTrace });
  if (keepTrace && outcome.failures.length > 0) {
    const path = join(mkdtempSync(join(tmpdir(), 'wickstream-simulation-')), `${seed}.log`);
    writeFileSync(path, outcome.lines.join('\n'));
    console.log(`The trace of seed ${seed} is in ${path}`);
  }
  return reportOf(outcome, hours);
}

/** A process that runs one seed after the other; one that hangs or dies is a failure, and another takes its place. */
function worker(args: readonly string[]): { readonly ask: Ask; readonly end: () => void } {
  let child = fork(import.meta.filename, ['--worker', ...args]);
  let asked = 0;
  const replace = (): void => {
    child.removeAllListeners();
    child.kill('SIGKILL');
    child = fork(import.meta.filename, ['--worker', ...args]);
    asked = 0;
  };
  const ask: Ask = (seed) => {
    if (asked === SEEDS_A_PROCESS) replace();
    asked += 1;
    const { promise, resolve } = Promise.withResolvers<SeedReport>();
    const fail = (reason: string) => {
      replace();
      const none = { hours: 0, digest: '', faults: {}, lives: 0, trades: 0, published: 0 };
      resolve({ seed, failures: [reason], ...none });
    };
    const timer = setTimeout(() => fail('hangs: it did not end in time'), SEED_REAL_MS_MAX);
    child.once('exit', (code) => fail(`its process ended with ${code}`));
    child.once('message', (report) => {
      child.removeAllListeners();
      resolve(report as SeedReport);
    });
    child.send(seed);
    return promise.finally(() => clearTimeout(timer));
  };
  return { ask, end: () => child.kill() };
}

async function runSeeds(options: RunOptions, args: readonly string[]): Promise<number> {
  const totals = createTotals();
  const waiting = [...options.seeds];
  const began = performance.now();
  let saidAt = began;

  async function work(ask: Ask): Promise<void> {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      const report = await ask(seed);
      totals.add(report);
      for (const failure of report.failures) console.log(`seed ${seed}: ${failure}`);
      if (performance.now() - saidAt < PROGRESS_INTERVAL_MS) continue;
      saidAt = performance.now();
      console.log(`${totals.count()} of ${options.seeds.length} seeds`);
    }
  }

  if (options.jobs === 1) {
    await work((seed) => runHere(seed, options));
  } else {
    const workers = Array.from({ length: options.jobs }, () => worker(args));
    await Promise.all(workers.map(({ ask }) => work(ask)));
    for (const { end } of workers) end();
  }
  const seconds = (performance.now() - began) / 1_000;
  const failed = totals.failed().length;
  console.log(totals.text());
  console.log(`${seconds.toFixed(1)} s, ${(seconds / totals.count()).toFixed(2)} s a seed`);
  console.log(`${totals.count() - failed} passed, ${failed} failed, 0 skipped`);
  return failed === 0 ? 0 : 1;
}

function serveSeeds(options: RunOptions): void {
  process.on('message', (seed: number) => {
    // A fault of the simulation itself ends the process, which its parent tells.
    void runHere(seed, options).then((report) => process.send?.(report));
  });
}

try {
  const [first, ...rest] = process.argv.slice(2);
  if (first === '--worker') serveSeeds(readOptions(rest));
  else {
    const args = process.argv.slice(2);
    process.exitCode = await runSeeds(readOptions(args), args);
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n${USAGE}`);
  process.exitCode = 2;
}

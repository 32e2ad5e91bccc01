// Runs one suite of tests: `node scripts/test.mjs [--suite unit] [part of a path …] [--node-test-flag …]`.
// The last line it prints is `N passed, N failed, N skipped`. Refuses to call a run without tests a success.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { compileCache, exitCode } from './launch.mjs';
import { filesUnder, isStarted, root, runScript, SetupError } from './project.mjs';
import { findRuntime } from './runtime.mjs';

const OWN_SUITE_FOLDERS = ['test/browser/', 'test/slow/', 'test/integration/'];

/** Each suite: which files it has, how many run at a time, how long one test may take, if it needs web/dist. */
const SUITES = {
  unit: {
    folders: ['src', 'web', 'test'],
    has: (path) =>
      /\.test\.m?[jt]s$/.test(path) && !OWN_SUITE_FOLDERS.some((own) => path.startsWith(own)),
    concurrency: 2,
    timeoutMs: 120_000,
    needsDashboard: false,
  },
  browser: {
    folders: ['test/browser'],
    has: (path) => path.endsWith('.browser.ts'),
    concurrency: 1,
    timeoutMs: 300_000,
    needsDashboard: true,
  },
  slow: {
    folders: ['test/slow'],
    has: (path) => path.endsWith('.slow.ts'),
    concurrency: 1,
    timeoutMs: 900_000,
    needsDashboard: true,
  },
  fuzz: {
    folders: ['test/fuzz'],
    has: (path) => path.endsWith('.fuzz.ts'),
    concurrency: 1,
    timeoutMs: 1_800_000,
    needsDashboard: false,
  },
  integration: {
    folders: ['test/integration'],
    has: (path) => path.endsWith('.integration.ts'),
    concurrency: 1,
    timeoutMs: 300_000,
    needsDashboard: false,
  },
};

/** Splits arguments into the suite's name, parts of paths that choose files, and flags for `node --test`. */
export function parseTestArguments(args) {
  const at = args.indexOf('--suite');
  const suite = at < 0 ? 'unit' : (args[at + 1] ?? '');
  if (!Object.hasOwn(SUITES, suite)) {
    throw new SetupError(`Expected a suite of ${Object.keys(SUITES).join(', ')}, was "${suite}".`);
  }
  const rest = at < 0 ? args : args.toSpliced(at, 2);
  return {
    suite,
    filters: rest.filter((arg) => !arg.startsWith('-')).map((arg) => arg.replaceAll('\\', '/')),
    flags: rest.filter((arg) => arg.startsWith('-')),
  };
}

/** The suite's files among `paths` whose path contains one of the filters; all of them without filters. */
export function chooseTestFiles({ suite, paths, filters }) {
  const isWanted = (path) =>
    filters.length === 0 || filters.some((filter) => path.includes(filter.replace(/^\.\//, '')));
  return paths.filter((path) => SUITES[suite].has(path) && isWanted(path));
}

async function runSuite(args) {
  const { suite, filters, flags } = parseTestArguments(args);
  const { folders, concurrency, timeoutMs, needsDashboard } = SUITES[suite];
  const paths = folders.flatMap((folder) => filesUnder(folder));
  const files = chooseTestFiles({ suite, paths, filters });
  if (files.length === 0) return reportNothing(suite, filters);
  await ensureInstalled();
  if (needsDashboard) ensureBuilt();
  return runNodeTest([
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${timeoutMs}`,
    `--test-reporter=${pathToFileURL(join(root, 'scripts/test-reporter.mjs')).href}`,
    ...flags,
    ...files,
  ]);
}

/** A filter that fits no file is a typing error; a suite without files is merely empty. */
function reportNothing(suite, filters) {
  if (filters.length > 0) {
    throw new SetupError(`Expected part of a path of a ${suite} test, was "${filters.join(' ')}".`);
  }
  console.log(`There are no ${suite} tests.\n0 passed, 0 failed, 0 skipped`);
  return suite === 'unit' ? 1 : 0;
}

function runNodeTest(args) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...compileCache(process.env) };
    const child = spawn(findRuntime(), args, { cwd: root, stdio: 'inherit', env });
    // A terminal's Ctrl-C reaches the runner by itself; this process only waits for its last words.
    process.on('SIGINT', () => undefined);
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(exitCode(code, signal)));
  });
}

if (isStarted(import.meta.url)) await runScript(() => runSuite(process.argv.slice(2)));

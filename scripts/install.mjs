// Makes node_modules match package-lock.json, and does nothing when it does. Never edits either lock or package.json.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isStarted, root, runScript, SetupError, say } from './project.mjs';
import { findRuntime } from './runtime.mjs';

const STAMP_PATH = 'node_modules/.wickstream-install';
/** npm's own record of what it has put into node_modules; it is written last. */
const HIDDEN_LOCK_PATH = 'node_modules/.package-lock.json';
const NODE_MAJOR_MIN_FOR_SETUP = 20;
const PROGRESS_INTERVAL_MS = 15_000;
/**
 * `install --no-save` puts in what the lock says and leaves the lock alone, as `ci` does. But `ci` refuses a lock
 * without the entries of binaries for systems its author's registry did not have (Biome's for Android, say).
 * `--include`: the dashboard is built here, also where NODE_ENV=production would leave its tools out.
 */
const NPM_ARGUMENTS = [
  'install',
  '--no-save',
  '--include=dev',
  '--include=optional',
  '--loglevel=error',
];

/** What a finished install is known by: the machine's kind, and the lock (or, where there is none, package.json). */
export function installStamp({ lock, platform, arch }) {
  return `${platform}-${arch} ${createHash('sha256').update(lock).digest('hex')}`;
}

/**
 * What has to be done for node_modules to get from the stamp `found` to `wanted`. What is there is only brought up
 * to date: quicker, and on Windows the Node running now may lie in it, where it cannot be deleted. But what an
 * interrupted install has left, or another kind of machine (its binaries do not run here), is removed first.
 */
export function chooseInstall({ wanted, found, hasHiddenLock }) {
  if (found === wanted) return 'nothing';
  const isForeign = found !== undefined && found.split(' ')[0] !== wanted.split(' ')[0];
  return hasHiddenLock && !isForeign ? 'update' : 'afresh';
}

/**
 * How to start npm: by the Node running now where npm's own script is found (no shell, same on every system),
 * else by name. `npm_execpath` may also be another package manager's: then it is not used.
 */
export function chooseNpm({ npmExecPath, execPath, platform, exists }) {
  const bin = dirname(execPath);
  const candidates = [
    npmExecPath,
    join(bin, 'node_modules/npm/bin/npm-cli.js'),
    join(bin, '../lib/node_modules/npm/bin/npm-cli.js'),
  ];
  const script = candidates.find((path) => path?.endsWith('npm-cli.js') && exists(path));
  if (script !== undefined) return { command: execPath, args: [script], shell: false };
  return platform === 'win32'
    ? { command: 'npm.cmd', args: [], shell: true }
    : { command: 'npm', args: [], shell: false };
}

/** Installs if needed. Throws a SetupError when npm fails or when no Node 26 is there afterwards. */
export async function ensureInstalled() {
  const { version, platform, arch } = process;
  if (Number(version.slice(1).split('.')[0]) < NODE_MAJOR_MIN_FOR_SETUP) {
    throw new SetupError(`Expected Node ${NODE_MAJOR_MIN_FOR_SETUP} or newer, was ${version}.`);
  }
  const lock = read('package-lock.json');
  const wanted = installStamp({ lock: lock ?? read('package.json') ?? '', platform, arch });
  const choice = chooseInstall({
    wanted,
    found: read(STAMP_PATH),
    hasHiddenLock: existsSync(join(root, HIDDEN_LOCK_PATH)),
  });
  if (choice === 'nothing') return;
  await install(choice);
  // A missing runtime throws here, before the stamp: the next start tries again.
  findRuntime();
  writeFileSync(join(root, STAMP_PATH), wanted);
}

async function install(choice) {
  if (choice === 'afresh') {
    say(
      'Installing packages into node_modules, Node 26 among them. This happens once and takes a minute or so …',
    );
    removeNodeModules();
  } else say('Bringing node_modules up to date with package-lock.json …');
  const startedAtMs = Date.now();
  const seconds = () => Math.round((Date.now() - startedAtMs) / 1000);
  const progress = setInterval(
    () => say(`… still installing (${seconds()} s)`),
    PROGRESS_INTERVAL_MS,
  );
  try {
    const code = await runNpm();
    if (code !== 0) {
      throw new SetupError(
        `npm install failed (exit code ${code}); its reason is above. Is the network up? Then run this again.`,
      );
    }
  } finally {
    clearInterval(progress);
  }
  say(`Packages are in place (${seconds()} s).`);
}

function removeNodeModules() {
  try {
    rmSync(join(root, 'node_modules'), { recursive: true, force: true });
  } catch (error) {
    throw new SetupError(`Could not remove node_modules (${error.message}). Delete it by hand.`);
  }
}

function runNpm() {
  const npm = chooseNpm({
    npmExecPath: process.env.npm_execpath,
    execPath: process.execPath,
    platform: process.platform,
    exists: existsSync,
  });
  const all = [...npm.args, ...NPM_ARGUMENTS];
  const [command, rest] = npm.shell ? [[npm.command, ...all].join(' '), []] : [npm.command, all];
  return new Promise((resolve, reject) => {
    const child = spawn(command, rest, { cwd: root, stdio: ['ignore', 2, 2], shell: npm.shell });
    child.once('error', (error) =>
      reject(new SetupError(`Could not start npm (${error.message}). Is npm installed?`)),
    );
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
}

function read(path) {
  const full = join(root, path);
  return existsSync(full) ? readFileSync(full, 'utf8') : undefined;
}

if (isStarted(import.meta.url)) await runScript(ensureInstalled);

// Builds the dashboard into web/dist when its sources have changed since the last build, else does nothing.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled } from './install.mjs';
import { filesUnder, isStarted, root, runScript, SetupError, say } from './project.mjs';
import { findRuntime } from './runtime.mjs';

const CONFIG_PATH = 'web/vite.config.ts';
const STAMP_PATH = 'web/dist/.stamp';
const SOURCE_FOLDERS = ['web', 'src/core', 'src/protocol'];

/** Whether a file under the source folders can change the built dashboard. */
export function isBuildSource(path) {
  return !path.startsWith('web/dist/') && !/\.test\.tsx?$/.test(path);
}

/** One hash over names and contents, `[path, content]` each; another order, name or byte gives another stamp. */
export function buildStamp(sources) {
  const hash = createHash('sha256');
  for (const [path, content] of sources) {
    // Lengths first: no two lists of files run together into the same bytes.
    hash
      .update(`${Buffer.byteLength(path)} ${Buffer.byteLength(content)}\n${path}`)
      .update(content);
  }
  return hash.digest('hex');
}

/** Builds if needed, or always with `force`. Throws a SetupError when the build fails; web/dist is then stale. */
export function ensureBuilt({ force = false } = {}) {
  const wanted = currentStamp();
  const stamp = join(root, STAMP_PATH);
  if (!force && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('Building the dashboard (again only when its sources change) …');
  const startedAtMs = Date.now();
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const args = [vite, 'build', '--config', CONFIG_PATH, '--logLevel', 'warn'];
  const result = spawnSync(findRuntime(), args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) {
    const reason = result.error?.message ?? `exit code ${result.status ?? result.signal}`;
    throw new SetupError(`Building the dashboard failed (${reason}); the fault is named above.`);
  }
  writeFileSync(stamp, wanted);
  say(`The dashboard is built (${((Date.now() - startedAtMs) / 1000).toFixed(1)} s).`);
}

function currentStamp() {
  const paths = SOURCE_FOLDERS.flatMap((folder) => filesUnder(folder)).filter(isBuildSource);
  return buildStamp(
    [...paths, 'package-lock.json']
      .filter((path) => existsSync(join(root, path)))
      .map((path) => [path, readFileSync(join(root, path))]),
  );
}

if (isStarted(import.meta.url)) {
  await runScript(async () => {
    await ensureInstalled();
    ensureBuilt({ force: process.argv.includes('--force') });
  });
}

// `npm run test:simulation`: the simulation under the chosen Node, after what it needs is there. Decides nothing else.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureInstalled } from './install.mjs';
import { compileCache, exitCode } from './launch.mjs';
import { root, runScript } from './project.mjs';
import { findRuntime } from './runtime.mjs';

/** A run makes and drops much: a large young generation spares most of the collector's work. */
const RUNTIME_FLAGS = ['--max-semi-space-size=64'];

await runScript(async () => {
  await ensureInstalled();
  const entry = join(root, 'test/simulation/main.ts');
  const env = { ...process.env, ...compileCache(process.env) };
  const child = spawn(findRuntime(), [...RUNTIME_FLAGS, entry, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env,
  });
  // A terminal's Ctrl-C reaches the runs by itself.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(exitCode(code, signal)));
  });
});

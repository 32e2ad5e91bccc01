// From a fresh clone to a running program: install, build what the command shows, launch. Decides nothing else.

import { join } from 'node:path';
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { launch } from './launch.mjs';
import { root } from './project.mjs';
import { findRuntime } from './runtime.mjs';

const COMMANDS_WITH_DASHBOARD = ['up', 'serve'];

/** Runs `wickstream <args>` in the user's own working directory; resolves with its exit code. */
export async function run(args) {
  await ensureInstalled();
  if (COMMANDS_WITH_DASHBOARD.includes(args[0])) ensureBuilt();
  return launch({ runtime: findRuntime(), entry: join(root, 'src/app/main.ts'), args });
}

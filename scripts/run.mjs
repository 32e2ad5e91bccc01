// From a fresh clone to a running program: install, build what the command shows, launch. Decides nothing else.

import { join } from 'node:path';
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { launch } from './launch.mjs';
import { root } from './project.mjs';
import { findRuntime } from './runtime.mjs';

const COMMANDS_WITH_DASHBOARD = ['up', 'serve', 'replay'];
const QUESTIONS = ['--help', '-h', '--version', '-V'];

/** Whether these arguments open the dashboard. Without a command they mean `up`. */
export function showsDashboard(args) {
  if (args.some((arg) => QUESTIONS.includes(arg))) return false;
  const [first] = args;
  return first === undefined || first.startsWith('-') || COMMANDS_WITH_DASHBOARD.includes(first);
}

/** Runs `wickstream <args>` in the user's own working directory; resolves with its exit code. */
export async function run(args) {
  await ensureInstalled();
  if (showsDashboard(args)) ensureBuilt();
  return launch({ runtime: findRuntime(), entry: join(root, 'src/app/main.ts'), args });
}

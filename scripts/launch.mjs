// Runs a program under the chosen Node and ends as it ends. The one place that decides how a stop reaches it.
//
// Ctrl-C in a terminal goes to the whole process group: the program has it already, and npm sends it to this
// wrapper a second time. A `kill` reaches this wrapper alone; a `kill -9` nobody. So no signal is passed on:
// the wrapper closes the IPC channel, which a dying wrapper does too, and stop-with-parent.mjs turns that
// into exactly one SIGTERM in the program, unless a signal has reached it by itself.
// A `kill` of npm ends npm's shell, which tells nobody: the wrapper then finds itself with another parent.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { root, SetupError, say } from './project.mjs';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Twice what the program promises for a clean end. What it had not stored yet is fetched again at the next start. */
const STOP_DEADLINE_MS = 10_000;
/** How soon the end of npm's shell is noticed. */
const PARENT_CHECK_INTERVAL_MS = 250;
/** Only npm's shell must outlive the wrapper: whoever starts it by hand may leave it running in the background. */
const npmShellPid = process.env.npm_lifecycle_event === undefined ? undefined : process.ppid;
/**
 * Trades live for milliseconds: a small young generation stays in the processor's cache, and saves some 50 MB.
 * 16 MB, V8's default, is for programs that keep more of what they make.
 */
const RUNTIME_FLAGS = ['--max-semi-space-size=2'];
const WATCH_URL = new URL('./stop-with-parent.mjs', import.meta.url).href;

/** Exit code as shells give it: the program's own, or 128 + the signal's number. */
export function exitCode(code, signal) {
  return code ?? 128 + (constants.signals[signal] ?? 0);
}

/** Runs `entry` with `args` and resolves with its exit code. Rejects with a SetupError if it can't be started. */
export function launch({ runtime, entry, args }) {
  return new Promise((resolve, reject) => {
    const child = spawn(runtime, [...RUNTIME_FLAGS, `--import=${WATCH_URL}`, entry, ...args], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...compileCache(process.env) },
    });
    let deadline;
    const stop = () => {
      if (!child.connected) return;
      child.disconnect();
      deadline = setTimeout(() => {
        say(`Not ended ${STOP_DEADLINE_MS / 1000} s after it was asked to: killed.`);
        child.kill('SIGKILL');
      }, STOP_DEADLINE_MS);
    };
    for (const signal of STOP_SIGNALS) process.on(signal, stop);
    const parentCheck = setInterval(() => {
      if (npmShellPid !== undefined && process.ppid !== npmShellPid) stop();
    }, PARENT_CHECK_INTERVAL_MS);
    const finish = (settle, value) => {
      clearTimeout(deadline);
      clearInterval(parentCheck);
      for (const signal of STOP_SIGNALS) process.off(signal, stop);
      settle(value);
    };
    child.once('error', (error) => {
      const message = `Could not run ${runtime} (${error.message}). Install Node 26 from https://nodejs.org and run this again.`;
      finish(reject, new SetupError(message));
    });
    child.once('exit', (code, signal) => finish(resolve, exitCode(code, signal)));
  });
}

/** Compiled code is kept between runs: the second start is quicker. The user's own choice goes first. */
export function compileCache(env) {
  const isChosen = env.NODE_COMPILE_CACHE || env.NODE_DISABLE_COMPILE_CACHE;
  return isChosen ? {} : { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compile') };
}

// Where the project lies and how its scripts speak to the user. Knows nothing of what they do.
// Everything in scripts/ is plain JavaScript: it runs before anything is installed, on Node 20 or newer.

import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** A failure the user can mend: its message says how, and no stack is shown. */
export class SetupError extends Error {
  code = 'SETUP';
}

/** Progress goes to stderr, so that `wickstream export > file` stays clean. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Runs a script's body; its result is the exit code, a SetupError becomes one message and exit 1. */
export async function runScript(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`wickstream: ${error.message}`);
    process.exitCode = 1;
  }
}

/** Is the module with this URL the one that was started, rather than imported? */
export function isStarted(moduleUrl) {
  const started = process.argv[1];
  return (
    started !== undefined &&
    existsSync(started) &&
    realpathSync(started) === fileURLToPath(moduleUrl)
  );
}

/** All files under a folder of the project, as sorted paths from its root with `/`. A missing folder is empty. */
export function filesUnder(folder, base = root) {
  if (!existsSync(join(base, folder))) return [];
  return readdirSync(join(base, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesUnder(path, base);
      return entry.isFile() ? [path.split(sep).join('/')] : [];
    })
    .sort();
}

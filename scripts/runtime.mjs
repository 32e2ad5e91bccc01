// Finds the Node that runs Wickstream: the one running now if it is new enough, else the one which the npm
// package `node` brought. Refuses older ones: they can neither run TypeScript nor `node:sqlite`.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, SetupError } from './project.mjs';

const NODE_MAJOR_MIN = 26;

/** Where the npm package `node` puts its binary, from the project's root. */
export function bundledRuntimePath(platform) {
  return `node_modules/node/bin/${platform === 'win32' ? 'node.exe' : 'node'}`;
}

/** Pure choice: the path of a Node ≥ 26, or undefined where there is none. */
export function chooseRuntime({ version, execPath, platform, exists }) {
  const major = Number(version.replace(/^v/, '').split('.')[0]);
  if (major >= NODE_MAJOR_MIN) return execPath;
  const bundled = bundledRuntimePath(platform);
  return exists(bundled) ? bundled : undefined;
}

/** The absolute path of a Node ≥ 26. Throws a SetupError that says how to get one. */
export function findRuntime() {
  const { version, execPath, platform } = process;
  const chosen = chooseRuntime({
    version,
    execPath,
    platform,
    exists: (path) => existsSync(join(root, path)),
  });
  if (chosen === undefined) throw new SetupError(missingRuntimeMessage(version, platform));
  return chosen === execPath ? chosen : join(root, chosen);
}

function missingRuntimeMessage(version, platform) {
  return `Expected Node ${NODE_MAJOR_MIN} or newer, was ${version}, and ${bundledRuntimePath(platform)} is missing.
  The npm package "node" brings it, unless its download or its install script did not run. Either
  - install Node ${NODE_MAJOR_MIN} (https://nodejs.org) and run this again, or
  - let npm run that script ("npm config get ignore-scripts" must say false), delete node_modules and run this again.`;
}

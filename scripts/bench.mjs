// `npm run bench:<name>`: a benchmark of bench/ under the chosen Node, after what it needs is there. Measures nothing itself.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { launch } from './launch.mjs';
import { root, runScript, SetupError } from './project.mjs';
import { findRuntime } from './runtime.mjs';

await runScript(async () => {
  const [name = '', ...args] = process.argv.slice(2);
  const entry = join(root, `bench/${name}.ts`);
  if (!existsSync(entry))
    throw new SetupError(`Expected the name of a file in bench/, was "${name}".`);
  await ensureInstalled();
  ensureBuilt();
  return launch({ runtime: findRuntime(), entry, args });
});

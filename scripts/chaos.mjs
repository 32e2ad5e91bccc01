// `npm run test:chaos`: the chaos suite of test/chaos/ under the chosen Node, after what it needs is there. Judges nothing itself.

import { join } from 'node:path';
import { ensureInstalled } from './install.mjs';
import { launch } from './launch.mjs';
import { root, runScript } from './project.mjs';
import { findRuntime } from './runtime.mjs';

await runScript(async () => {
  await ensureInstalled();
  const entry = join(root, 'test/chaos/main.ts');
  return launch({ runtime: findRuntime(), entry, args: process.argv.slice(2) });
});

// `npm run test:chaos-kafka -- --seed 7 --runs 3`: stages and broker killed at random, judged by kcat.

import { join } from 'node:path';
import { ensureInstalled } from './install.mjs';
import { fetchBroker } from './kafka/broker.mjs';
import { launch } from './launch.mjs';
import { root, runScript } from './project.mjs';
import { findRuntime } from './runtime.mjs';

await runScript(async () => {
  await ensureInstalled();
  await fetchBroker();
  const entry = join(root, 'test/integration/kafka-chaos/main.ts');
  return launch({ runtime: findRuntime(), entry, args: process.argv.slice(2) });
});

#!/usr/bin/env node
// The `wickstream` command: all arguments go to src/app/main.ts as they are.

import { runScript } from './project.mjs';
import { run } from './run.mjs';

await runScript(() => run(process.argv.slice(2)));

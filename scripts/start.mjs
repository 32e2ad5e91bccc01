// `npm start`: everything in one process. Other commands are `npx wickstream <command>`.

import { runScript } from './project.mjs';
import { run } from './run.mjs';

await runScript(() => run(['up', ...process.argv.slice(2)]));

// `npm run kafka`: a broker on this machine until Ctrl-C. `-- fetch` only fetches it; `-- --port N`, `-- --dir <folder>`.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fetchBroker, missingForKafka, startBroker } from './kafka/broker.mjs';
import { isStarted, root, runScript, SetupError, say } from './project.mjs';

const PORT_DEFAULT = '9092';

async function main(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { port: { type: 'string' }, dir: { type: 'string' } },
  });
  await fetchBroker();
  if (positionals.includes('fetch')) return;
  const missing = await missingForKafka();
  if (missing !== undefined) throw new SetupError(`Kafka cannot run here: ${missing}.`);
  const dir = values.dir ?? join(root, '.cache/kafka/dev');
  const stopped = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, resolve);
  });
  const broker = await startBroker({ dir, port: Number(values.port ?? PORT_DEFAULT) });
  // Keeps this process, and with it the broker's end, in the terminal's hands.
  const alive = setInterval(() => undefined, 1_000);
  say(`Kafka answers at ${broker.servers}; its log is ${join(dir, 'broker.log')}. Ctrl-C ends it.`);
  await stopped;
  clearInterval(alive);
  await broker.stop();
}

if (isStarted(import.meta.url)) await runScript(() => main(process.argv.slice(2)));

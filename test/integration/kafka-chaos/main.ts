// `npm run test:chaos-kafka -- [first seed] [last seed] [trades] [symbols]`: chaos runs, one after the other, a broker each. Fails where one is wrong.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../product/product.ts';
import { testBroker } from '../kafka-broker.ts';
import { runChaos } from './run.ts';

const [first = 1, last = first, trades = 200_000, symbols = 12] = process.argv.slice(2).map(Number);
const MINUTES = 90;
/** Of each ingest: so that the market lasts as long as the faults do. */
const PER_SECOND = 2_500;
const FAULT_EVERY_MS = 5_000;
const FAULTS_MAX = Math.ceil((trades / PER_SECOND) * (1_000 / FAULT_EVERY_MS)) + 5;
const dir = join(ROOT, '.cache/kafka/chaos');
await mkdir(dir, { recursive: true });
// An end by a signal runs the exit handlers too: no process is left behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
let wrong = 0;
for (let seed = first; seed <= last; seed++) {
  await using broker = await testBroker();
  const result = await runChaos({
    broker,
    shape: { seed, symbols, trades, minutes: MINUTES },
    perSecond: PER_SECOND,
    faultEveryMs: FAULT_EVERY_MS,
    faultsMax: FAULTS_MAX,
    deadlineMs: 600_000,
    partitions: 6,
    logPath: join(dir, `${seed}.log`),
    tell: (line) => process.stderr.write(`seed ${seed}: ${line}\n`),
  });
  const isRight = result.isWhole && result.faults.length === 0;
  if (!isRight) wrong++;
  process.stdout.write(`${JSON.stringify({ seed, isRight, ...result })}\n`);
}
process.exitCode = wrong === 0 ? 0 : 1;

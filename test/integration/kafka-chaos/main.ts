// `npm run test:chaos-kafka -- [--seed 1] [--runs 1] [--trades 200000] [--symbols 12]`: chaos runs, one after the other, a broker each.
// Run k has seed N + k. Fails where one is wrong; what the processes said is in .cache/kafka/chaos.
import { execFileSync } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../../product/product.ts';
import { testBroker } from '../kafka-broker.ts';
import { type ChaosResult, runChaos } from './run.ts';

const MINUTES = 90;
const PARTITIONS = 6;
/** Records a second of each ingest; fewer where the market would be over before anything goes wrong. */
const PER_SECOND_MAX = 2_500;
const MARKET_S_MIN = 40;
const FAULT_EVERY_MS = 5_000;
const DEADLINE_MS = 600_000;
const dir = join(ROOT, '.cache/kafka/chaos');

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    trades: { type: 'string', default: '200000' },
    symbols: { type: 'string', default: '12' },
  },
});

function wholeNumber(name: keyof typeof values): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number > 0) return number;
  console.error(`Expected a whole number above 0 for --${name}, was "${values[name]}"`);
  process.exit(2);
}

const first = wholeNumber('seed');
const runs = wholeNumber('runs');
const trades = wholeNumber('trades');
const symbols = wholeNumber('symbols');
const perSecond = Math.min(PER_SECOND_MAX, Math.ceil(trades / MARKET_S_MIN));
/** As long as the market lasts, and some while the last of it is still on its way. */
const faultsMax = Math.ceil((trades / perSecond) * (1_000 / FAULT_EVERY_MS)) + 5;

async function run(seed: number): Promise<ChaosResult> {
  await using broker = await testBroker();
  const logPath = join(dir, `${seed}.log`);
  await rm(logPath, { force: true });
  // Awaited here: the broker is closed when this function is left.
  return await runChaos({
    ...{ broker, perSecond, faultsMax, logPath, partitions: PARTITIONS },
    shape: { seed, symbols, trades, minutes: MINUTES },
    faultEveryMs: FAULT_EVERY_MS,
    deadlineMs: DEADLINE_MS,
    tell: (line) => console.log(`  ${line}`),
  });
}

try {
  execFileSync('kcat', ['-V'], { stdio: 'ignore' });
} catch {
  console.error('Expected kcat, which judges the runs (Debian: apt-get install kcat)');
  process.exit(1);
}
await mkdir(dir, { recursive: true });
// An end by a signal runs the exit handlers too: no process is left behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
let failed = 0;
for (let seed = first; seed < first + runs; seed++) {
  console.log(`seed ${seed}: ${trades} trades of ${symbols} symbols`);
  const { isWhole, candles, expected, faults, faultsDone, tookMs } = await run(seed);
  const isRight = isWhole && faults.length === 0 && candles >= expected;
  if (!isRight) failed++;
  const lasted = `${Math.round(tookMs / 1_000)} s`;
  console.log(`${isRight ? '✔' : '✖'} seed ${seed}: ${candles} candles of ${expected}, ${lasted}`);
  console.log(`  ${JSON.stringify(faultsDone)}`);
  for (const line of faults) console.log(`  ${line}`);
  if (!isWhole) console.log(`  not whole after ${DEADLINE_MS / 1_000} s`);
}
console.log(`${runs - failed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed === 0 ? 0 : 1;

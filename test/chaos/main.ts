// The chaos suite: the product as a process against the fake exchange over real sockets, with seeded faults.
// Run k has seed N + k; without --fault its seed chooses the fault, so that a seed alone is enough to have a run again.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../product/product.ts';
import { FAULT_NAMES, type FaultName } from './faults.ts';
import { runMillion } from './million.ts';
import { type RunResult, runChaos } from './run.ts';
import { runStatus } from './status.ts';
import { chaosTable } from './table.ts';

const USAGE = `npm run test:chaos [-- --seed 1] [--runs ${FAULT_NAMES.length}] [--fault "<name>"] [--minutes 1] [--jobs 3]
npm run test:chaos -- million [--trades 1000000] [--seed 1]    many trades, 1 % lost, doubled, reordered, a reset every 20 s
npm run test:chaos -- status                                   how soon the user is told
faults: ${FAULT_NAMES.join(', ')}`;

/** Lines shown of what is wrong in a run. */
const FAULTS_SHOWN_MAX = 12;

const LOGS = join(ROOT, '.cache/chaos');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: String(FAULT_NAMES.length) },
    fault: { type: 'string' },
    minutes: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '3' },
    trades: { type: 'string', default: '1000000' },
    help: { type: 'boolean', default: false },
  },
});

function wholeNumber(name: 'seed' | 'runs' | 'minutes' | 'jobs' | 'trades'): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 0) return number;
  console.error(`Expected a whole number for --${name}, was "${values[name]}"\n${USAGE}`);
  process.exit(2);
}

function faultOf(seed: number): FaultName {
  const name = values.fault ?? FAULT_NAMES[seed % FAULT_NAMES.length];
  const known = FAULT_NAMES.find((each) => each === name);
  if (known !== undefined) return known;
  console.error(`Expected the name of a fault, was "${name}"\n${USAGE}`);
  process.exit(2);
}

function tell(what: string, faults: readonly string[]): void {
  console.log(`${faults.length === 0 ? '✔' : '✖'} ${what}`);
  for (const line of faults.slice(0, FAULTS_SHOWN_MAX)) console.log(`    ${line}`);
  if (faults.length > FAULTS_SHOWN_MAX) {
    console.log(`    … ${faults.length - FAULTS_SHOWN_MAX} more`);
  }
}

/** Answers how many runs there were and how many of them failed. */
type Outcome = readonly [runs: number, failed: number];

async function chaos(): Promise<Outcome> {
  const [first, minutes] = [wholeNumber('seed'), wholeNumber('minutes')];
  const seeds = Array.from({ length: wholeNumber('runs') }, (_, index) => first + index);
  const results: RunResult[] = [];
  /** Takes seed after seed: several of these at once wait most of the time. */
  const work = async (): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      const fault = faultOf(seed);
      const logFile = join(LOGS, `${seed}-${fault.replaceAll(/\W+/g, '-')}.log`);
      const result = await runChaos({ seed, fault, minutes, logFile });
      results.push(result);
      const { injected, lives, seconds, faults } = result;
      const figures = `${injected} injected, ${lives} lives, ${seconds.toFixed(0)} s`;
      tell(`seed ${seed}  ${fault}: ${figures}`, faults);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, wholeNumber('jobs')) }, work));
  console.log(`\n${chaosTable(results.sort((one, two) => one.seed - two.seed))}`);
  const failed = results.filter(({ faults }) => faults.length > 0);
  for (const { seed, fault } of failed) {
    console.log(`again: npm run test:chaos -- --seed ${seed} --runs 1 --fault "${fault}"`);
  }
  return [results.length, failed.length];
}

async function million(): Promise<Outcome> {
  const result = await runMillion(
    wholeNumber('trades'),
    wholeNumber('seed'),
    join(LOGS, 'million.log'),
  );
  const { sent, lost, doubled, resets, compared, seconds, faults } = result;
  const count = (number: number) => number.toLocaleString('en');
  tell(
    `${count(sent)} trades, 1 % of the frames dropped, 1 % doubled, 1 % reordered, ${resets} resets: ${lost} lost, ${doubled} doubled; ${count(compared)} candles compared, ${seconds.toFixed(0)} s`,
    faults,
  );
  return [1, faults.length === 0 ? 0 : 1];
}

async function status(): Promise<Outcome> {
  const results = await runStatus(join(LOGS, 'status.log'));
  for (const { way, toldMs, state, liveAgainMs, silentMs, faults } of results) {
    tell(
      `${way}: "${state}" after ${toldMs.toFixed(0)} ms, live again after ${liveAgainMs.toFixed(0)} ms, longest time without a word ${silentMs.toFixed(0)} ms`,
      faults,
    );
  }
  return [results.length, results.filter(({ faults }) => faults.length > 0).length];
}

const COMMANDS: Readonly<Record<string, () => Promise<Outcome>>> = { chaos, million, status };
const command = COMMANDS[positionals[0] ?? 'chaos'];
if (values.help || command === undefined) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
const [runs, failed] = await command();
console.log(`${runs - failed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed === 0 ? 0 : 1;

// The command line of the simulation, read and checked; every fault is told with the remedy.
import { parseArgs } from 'node:util';
import { FAULT_NAMES, type FaultName } from './fault-kinds.ts';
import { hash } from './random.ts';
import { REGRESSIONS } from './regressions.ts';

export interface RunOptions {
  /** Ascending; one alone is traced where it fails. */
  readonly seeds: readonly number[];
  readonly hours: number;
  readonly jobs: number;
  /** `undefined`: drawn from each seed. */
  readonly kinds: readonly FaultName[] | undefined;
}

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE = `npm run test:simulation -- --seed N | --seeds A..B | --commit HASH --count N | --regressions
  --hours H     simulated hours a seed (default 1)
  --jobs N      processes at once (default 1)
  --faults a,b  only these faults: ${FAULT_NAMES.join(', ')}`;

const SEED_MAX = 2 ** 31;
const SEEDS_DEFAULT = 20;

/** @throws UsageError */
export function readOptions(args: readonly string[]): RunOptions {
  const { values } = parse(args);
  return {
    seeds: readSeeds(values),
    hours: readNumber('--hours', values.hours ?? '1', 0.3, 10_000),
    jobs: readNumber('--jobs', values.jobs ?? '1', 1, 64),
    kinds: values.faults === undefined ? undefined : readKinds(values.faults),
  };
}

function parse(args: readonly string[]) {
  const options = {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    regressions: { type: 'boolean' },
    commit: { type: 'string' },
    count: { type: 'string' },
    hours: { type: 'string' },
    jobs: { type: 'string' },
    faults: { type: 'string' },
  } as const;
  try {
    return parseArgs({ args: [...args], options, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

type Values = ReturnType<typeof parse>['values'];

function readSeeds({ seed, seeds, commit, count, regressions }: Values): number[] {
  if (regressions === true) return REGRESSIONS.map((each) => each.seed);
  if (seed !== undefined) return [readNumber('--seed', seed, 0, SEED_MAX)];
  const most = readNumber('--count', count ?? String(SEEDS_DEFAULT), 1, 1_000_000);
  if (commit !== undefined) return range(hash(commit) % SEED_MAX, most);
  if (seeds === undefined) return range(1, most);
  const [, from = '', to = ''] = /^(\d+)\.\.(\d+)$/.exec(seeds) ?? [];
  const first = readNumber('--seeds', from, 0, SEED_MAX);
  return range(first, readNumber('--seeds', to, first, SEED_MAX) - first + 1);
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

function readNumber(name: string, text: string, least: number, most: number): number {
  const value = text === '' ? Number.NaN : Number(text);
  if (value >= least && value <= most) return value;
  throw new UsageError(`Expected ${name} from ${least} to ${most}, was "${text}"`);
}

function readKinds(text: string): FaultName[] {
  return text.split(',').map((name) => {
    const known = FAULT_NAMES.find((each) => each === name);
    if (known !== undefined) return known;
    throw new UsageError(`Expected a fault of ${FAULT_NAMES.join(', ')}, was "${name}"`);
  });
}

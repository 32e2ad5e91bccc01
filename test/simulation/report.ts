// What a number of runs came to, in words and counts. Adds up; judges nothing.
import type { FaultName } from './fault-kinds.ts';
import type { Outcome } from './simulate.ts';

/** What a run sends to who counts: the outcome without its trace. */
export interface SeedReport {
  readonly seed: number;
  readonly hours: number;
  readonly digest: string;
  readonly failures: readonly string[];
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  readonly lives: number;
  readonly trades: number;
  readonly published: number;
}

export function reportOf(outcome: Outcome, hours: number): SeedReport {
  const { plan, digest, failures, faults, lives, trades, published } = outcome;
  return { seed: plan.seed, hours, digest, failures, faults, lives, trades, published };
}

export interface Totals {
  add(report: SeedReport): void;
  /** The seeds that failed, ascending. */
  failed(): readonly number[];
  /** Runs so far. */
  count(): number;
  text(): string;
}

export function createTotals(): Totals {
  const faults = new Map<string, number>();
  const failed: SeedReport[] = [];
  let [count, hours, lives, trades, published] = [0, 0, 0, 0, 0];
  return {
    add(report) {
      count += 1;
      hours += report.hours;
      lives += report.lives;
      trades += report.trades;
      published += report.published;
      for (const [kind, times] of Object.entries(report.faults)) {
        faults.set(kind, (faults.get(kind) ?? 0) + times);
      }
      if (report.failures.length > 0) failed.push(report);
    },
    failed: () => failed.map(({ seed }) => seed).sort((one, other) => one - other),
    count: () => count,
    text() {
      const kinds = [...faults].sort(([one], [other]) => (one < other ? -1 : 1));
      const lines = [
        `${count} seeds, ${hours} simulated hours, ${lives} lives of the product, ${trades} trades, ${published} candles published`,
        `faults: ${kinds.map(([kind, times]) => `${kind} ${times}`).join(', ') || 'none'}`,
        ...failed.map(({ seed, failures }) => `seed ${seed} failed: ${failures[0]}`),
      ];
      return lines.join('\n');
    },
  };
}

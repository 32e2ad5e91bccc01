// The results of runs as a table for people, one line a fault. Pure.
import type { RunResult } from './run.ts';

const HEAD = [
  'fault',
  'runs',
  'trades sent',
  'injected',
  'candles compared',
  'minutes audited',
  'result',
];

export function chaosTable(results: readonly RunResult[]): string {
  const rows = [...Map.groupBy(results, ({ fault }) => fault)].map(([fault, runs]) =>
    rowOf(fault, runs),
  );
  if (rows.length > 1) rows.push(rowOf('together', results));
  const cells = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

function rowOf(fault: string, runs: readonly RunResult[]): string[] {
  const sum = (of: (run: RunResult) => number) =>
    runs.reduce((total, run) => total + of(run), 0).toLocaleString('en');
  const wrong = runs.filter(({ faults }) => faults.length > 0).length;
  return [
    fault,
    String(runs.length),
    sum(({ trades }) => trades),
    sum(({ injected }) => injected),
    sum(({ compared }) => compared),
    sum(({ audited }) => audited),
    wrong === 0 ? 'true' : `${wrong} WRONG`,
  ];
}

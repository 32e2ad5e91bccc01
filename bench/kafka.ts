// Our aggregator over Kafka beside its peers, by the driver of ../shared/baselines (not part of this repository): same broker, same load, same run.
// `npm run bench:kafka -- throughput|latency [arguments of the driver]`, e.g. `--symbols 40 --minutes 50 --only seed-python,streams-eos-mem`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { machineLine } from './machine.ts';

const ROOT = join(import.meta.dirname, '..');
const DRIVER = join(ROOT, '../shared/baselines/bench.py');
const MAIN = join(ROOT, 'src/app/main.ts');
/** The load creates raw_ticks and ohlcv_1m with four partitions and no retention; ours adds the topics it needs beside. */
const TOPICS = ['--topic-partitions', '4', '--topic-retention', 'unlimited'].join(' ');

/** As the driver starts it: a shell command; RUN_ID names a fresh group. */
function candidate(intervals: string): string {
  const node = `"${process.execPath}" --max-semi-space-size=2`;
  return [
    `${node} "${MAIN}" topics ${TOPICS} >/dev/null`,
    `exec ${node} "${MAIN}" aggregate --intervals ${intervals} --consumer-group "$RUN_ID" --log-level warn --log-format json`,
  ].join('; ');
}

if (!existsSync(DRIVER)) {
  console.error(`Expected the baselines' driver at ${DRIVER}: it is not part of this repository`);
  process.exit(1);
}
console.log(machineLine());
console.log('cmd: ours with --intervals 1m (the peers’ work); cmd2: ours with all 16');
const args = process.argv.slice(2);
const own = ['--cmd', candidate('1m'), '--cmd', candidate('all')];
const driver = spawn('python3', [DRIVER, ...(args.length > 0 ? args : ['throughput']), ...own], {
  cwd: ROOT,
  stdio: 'inherit',
});
const [code] = (await once(driver, 'exit')) as [number | null];
process.exit(code ?? 1);

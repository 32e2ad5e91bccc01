// The long fuzz run: FUZZ_INPUTS (1,000,000) inputs by FUZZ_SEED, in rounds, and no memory kept between them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fuzz } from './fuzz.ts';

const ROUND = 100_000;
/** Heap that may be kept after the first round: code that was compiled meanwhile, nothing by input. */
const GROWTH_BYTES_MAX = 16 * 1024 * 1024;

test('spoiled frames and bodies: no crash, no memory growth, no trade that is none', async (t) => {
  const first = Number(process.env['FUZZ_SEED'] ?? 1);
  const inputs = Number(process.env['FUZZ_INPUTS'] ?? 1_000_000);
  const heaps: number[] = [];
  for (let done = 0; done < inputs; done += ROUND) {
    const seed = first + done / ROUND;
    const result = await fuzz({ seed, inputs: Math.min(ROUND, inputs - done) });
    heaps.push(heapUsed());
    t.diagnostic(JSON.stringify({ seed, ...result, heapBytes: heaps.at(-1) }));
  }
  const [before = 0] = heaps;
  const growth = (heaps.at(-1) ?? 0) - before;
  assert(growth < GROWTH_BYTES_MAX, `the heap grew by ${growth} bytes`);
});

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

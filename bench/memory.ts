// Resident memory of the product: 20 symbols at 2,000 trades a second for 10 minutes, and what a symbol costs at 500.
// Run: npm run bench:memory [-- minutes] [symbols] [tradesPerSecond]
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT, startProduct } from '../test/product/product.ts';
import { machineLine, median } from './machine.ts';
import { openBenchMarket } from './market.ts';

const MINUTES = Number(process.argv[2] ?? 10);
const SYMBOLS = Number(process.argv[3] ?? 20);
const TRADES_PER_SECOND = Number(process.argv[4] ?? 2_000);
const SAMPLE_MS = 2_000;

console.log(machineLine());
await using market = await openBenchMarket(SYMBOLS, { days: 40, minuteDays: 2 });
const { exchange, symbols, dataDir } = market;
const load = exchange.startLoad({ tradesPerSecond: TRADES_PER_SECOND, seed: 7 });
await using product = await startProduct({
  exchange,
  dataDir,
  args: ['--symbols', symbols.join(',')],
  command: [process.execPath, join(ROOT, 'scripts/start.mjs')],
});
console.log(`${SYMBOLS} symbols, ${TRADES_PER_SECOND} trades/s, all 16 intervals`);
const perMinute: number[] = [];
let peak = 0;
for (let minute = 1; minute <= MINUTES; minute++) {
  const samples: number[] = [];
  for (let elapsed = 0; elapsed < 60_000; elapsed += SAMPLE_MS) {
    await sleep(SAMPLE_MS);
    samples.push(product.residentMiB());
  }
  peak = Math.max(peak, ...samples);
  perMinute.push(median(samples));
  console.log(
    `minute ${minute}: median ${median(samples).toFixed(0)} MiB, peak so far ${peak.toFixed(0)} MiB`,
  );
}
load.stop();
const [first, last] = [perMinute[Math.floor(MINUTES / 2)] ?? 0, perMinute.at(-1) ?? 0];
console.log(
  `last minute ${last.toFixed(0)} MiB, ${(last / SYMBOLS).toFixed(2)} MiB a symbol; second half ${(last - first).toFixed(0)} MiB more`,
);

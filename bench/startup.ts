// Process start → first exact candle drawn in a browser that is open already, warm: by scripts/start.mjs, as `npm start` runs it.
// Run: npm run bench:startup [-- rounds]
import { join } from 'node:path';
import { launchChromium } from '../test/browser/chromium.ts';
import { ROOT, startProduct } from '../test/product/product.ts';
import type {} from '../web/dashboard/bench-probe.ts';
import { machineLine, median } from './machine.ts';
import { openBenchMarket } from './market.ts';

const ROUNDS = Number(process.argv[2] ?? 7);

console.log(machineLine());
await using market = await openBenchMarket(1, { days: 40, minuteDays: 3 });
const { exchange, dataDir } = market;
const load = exchange.startLoad({ tradesPerSecond: 50, seed: 7 });
const browser = await launchChromium();
const totals: number[] = [];
const opened: number[] = [];
try {
  // The first round fills caches and the store: it is the cold one, and not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const startedAt = performance.now();
    await using product = await startProduct({
      exchange,
      dataDir,
      command: [process.execPath, join(ROOT, 'scripts/start.mjs')],
    });
    const openAfter = performance.now() - startedAt;
    await page.goto(`${product.url}/?symbol=BTCUSDT&interval=1m&bench=1`);
    // An update carries an event time only once trades of this run are folded: from its first second exact.
    await page.waitForFunction(() => (window.__wickstreamDrawn?.length ?? 0) > 0);
    const total = performance.now() - startedAt;
    console.log(
      `${round === 0 ? 'cold' : 'warm'}: port open after ${openAfter.toFixed(0)} ms, first exact candle drawn after ${total.toFixed(0)} ms`,
    );
    if (round > 0) {
      totals.push(total);
      opened.push(openAfter);
    }
    await page.close();
    await product.stop();
  }
} finally {
  load.stop();
  await browser.close();
}
console.log(
  `warm, median of ${ROUNDS}: port open ${median(opened).toFixed(0)} ms, first exact candle drawn ${median(totals).toFixed(0)} ms`,
);

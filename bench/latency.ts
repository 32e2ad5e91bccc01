// A trade leaving the exchange's socket → drawn in headless Chromium, at 200 trades a second and at 5,000; and whether a backlog grows.
// Run: npm run bench:latency [-- seconds]
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import type { ServerMessage } from '../src/protocol/browser.ts';
import { launchChromium } from '../test/browser/chromium.ts';
import type { FakeExchange } from '../test/fake-exchange/fake-exchange.ts';
import { startProduct } from '../test/product/product.ts';
import type { DrawnUpdate } from '../web/dashboard/bench-probe.ts';
import { machineLine, percentile } from './machine.ts';
import { openBenchMarket } from './market.ts';

const SECONDS = Number(process.argv[2] ?? 30);
const WARM_UP_SECONDS = 5;
const SOCKET_SECONDS = 8;
const RATES = [200, 5_000];

/**
 * Each trade's delay: it is on the screen with the first drawing whose newest trade is it or a later
 * one. So a trade that waited for others counts with its wait.
 */
function delays(tradeTimes: readonly number[], drawn: readonly DrawnUpdate[]): number[] {
  const result: number[] = [];
  let at = 0;
  for (const time of tradeTimes) {
    while (at < drawn.length && (drawn[at]?.eventTime ?? 0) < time) at++;
    const shown = drawn[at];
    if (shown === undefined) break;
    result.push(shown.drawnAt - time);
  }
  return result;
}

function line(name: string, values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => percentile(sorted, share).toFixed(1);
  return `${name.padEnd(26)} p50 ${at(0.5)} ms   p99 ${at(0.99)} ms   max ${at(1)} ms   (${sorted.length} trades)`;
}

/** What a reader without a screen gets, for `SOCKET_SECONDS`: the share of the delay that is not the browser's. */
async function readSocket(url: string, now: () => number): Promise<DrawnUpdate[]> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/live`);
  const received: DrawnUpdate[] = [];
  socket.on('message', (data) => {
    const message: ServerMessage = JSON.parse(String(data));
    if (message.type !== 'update' || message.eventTime === undefined) return;
    received.push({ eventTime: message.eventTime, close: '', drawnAt: now() });
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'watch', symbol: 'BTCUSDT', interval: '1m', limit: 500 }));
  await sleep(SOCKET_SECONDS * 1_000);
  socket.terminate();
  return received;
}

/** When each trade in `[from, to)` was sent, ms. */
function tradeTimes(exchange: FakeExchange, from: number, to: number): number[] {
  const trades = exchange.market.find('BTCUSDT')?.trades;
  const times: number[] = [];
  for (let index = 0; index < (trades?.length ?? 0); index++) {
    const time = trades?.at(index).T ?? 0;
    if (time >= from && time < to) times.push(time);
  }
  return times;
}

async function measure(tradesPerSecond: number): Promise<void> {
  await using market = await openBenchMarket(1, { days: 40, minuteDays: 3 });
  const { exchange, dataDir } = market;
  const load = exchange.startLoad({ tradesPerSecond, seed: 7 });
  await using product = await startProduct({ exchange, dataDir });
  await sleep(WARM_UP_SECONDS * 1_000);
  const socketFrom = exchange.now() + 500;
  const received = await readSocket(product.url, exchange.now);
  const socketTimes = tradeTimes(exchange, socketFrom, exchange.now() - 500);
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`${product.url}/?symbol=BTCUSDT&interval=1m&bench=1`);
    await page.waitForFunction(() => (window.__wickstreamDrawn?.length ?? 0) > 0);
    await sleep(WARM_UP_SECONDS * 1_000);
    const from = exchange.now();
    await sleep(SECONDS * 1_000);
    const to = exchange.now();
    await sleep(1_000);
    const drawn = await page.evaluate(() => window.__wickstreamDrawn ?? []);
    load.stop();
    const times = tradeTimes(exchange, from, to);
    const third = from + (to - from) / 3;
    const last = to - (to - from) / 3;
    console.log(
      `\n${tradesPerSecond} trades/s for ${SECONDS} s, sent ${times.length}, left out by the load itself ${load.skipped}`,
    );
    console.log(line('exchange → a reader', delays(socketTimes, received)));
    console.log(line('exchange → pixel', delays(times, drawn)));
    console.log(
      line(
        '  first third',
        delays(
          times.filter((time) => time < third),
          drawn,
        ),
      ),
    );
    console.log(
      line(
        '  last third',
        delays(
          times.filter((time) => time >= last),
          drawn,
        ),
      ),
    );
    const draws = drawn.filter(({ drawnAt }) => drawnAt >= from && drawnAt < to).length;
    console.log(
      `drawn ${(draws / SECONDS).toFixed(0)} times a second, product ${product.residentMiB().toFixed(0)} MiB`,
    );
  } finally {
    await browser.close();
  }
}

console.log(machineLine());
for (const rate of RATES) await measure(rate);

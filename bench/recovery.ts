// How soon the product is current again: after a reset, after a lost frame; and how long a planned change of connection leaves it without data.
// REST answers after a delay of its own, which is subtracted for each request on the way. Run: npm run bench:recovery [-- samples] [restDelayMs]
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import type { FakeExchange } from '../test/fake-exchange/fake-exchange.ts';
import type { Frame } from '../test/fake-exchange/faults.ts';
import { startProduct } from '../test/product/product.ts';
import { machineLine, percentile } from './machine.ts';
import { openBenchMarket } from './market.ts';

const SAMPLES = Number(process.argv[2] ?? 200);
const REST_DELAY_MS = Number(process.argv[3] ?? 50);
/** Products side by side, each with an exchange of its own: a sample waits most of the time. */
const LANES = 4;
const TRADES_PER_SECOND = 100;
const WARM_UP_MS = 5_000;
/** A connection that lived this long is opened anew without a pause: the first break of the day is what is measured. */
const BETWEEN_RESETS_MS = 5_500;
const BETWEEN_HOLES_MS = 300;
/** From the announcement of a shutdown to the end of the connections open then. */
const SHUTDOWN_MS = 2_000;
const SETTLED_MS = 1_500;
const RECEIVED_MS_MAX = 30_000;

interface Lane {
  readonly exchange: FakeExchange;
  readonly reader: Reader;
}

interface Samples {
  readonly resets: number[];
  readonly holes: number[];
  /** Longest time between two trades: around a planned change, and in a time as long before it. */
  readonly changes: number[];
  readonly spacings: number[];
}

interface Reader {
  /** When the trade with this id, or a later one, came (ms). */
  received(id: number): Promise<number>;
  longestGap(from: number, to: number): number;
}

/** Follows the product's own trades. */
function read(url: string): Reader {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/btcusdt@aggTrade`);
  const times: number[] = [];
  const waiting = new Set<{ readonly id: number; readonly resolve: (at: number) => void }>();
  socket.on('message', (data) => {
    const { e, a } = JSON.parse(String(data));
    if (e !== 'aggTrade') return;
    const at = performance.now();
    times.push(at);
    for (const each of waiting) {
      if (a < each.id) continue;
      waiting.delete(each);
      each.resolve(at);
    }
  });
  return {
    received(id) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      waiting.add({ id, resolve });
      const deadline = setTimeout(() => reject(new Error(`Not received: ${id}`)), RECEIVED_MS_MAX);
      return promise.finally(() => clearTimeout(deadline));
    },
    longestGap(from, to) {
      const inside = times.filter((time) => time >= from && time <= to);
      return inside.reduce(
        (most, time, index) => Math.max(most, time - (inside[index - 1] ?? time)),
        0,
      );
    },
  };
}

/** Time from `begin` until trade `id` is out again, without what REST itself took. */
async function recovery(
  { exchange, reader }: Lane,
  id: number,
  begin: () => void,
): Promise<number> {
  const asked = exchange.requests.length;
  const received = reader.received(id);
  const begun = performance.now();
  begin();
  const at = await received;
  const onTheWay = exchange.requests
    .slice(asked)
    .filter(({ path }) => path === '/api/v3/aggTrades').length;
  return at - begun - onTheWay * REST_DELAY_MS;
}

function nextId(exchange: FakeExchange): number {
  const trades = exchange.market.find('BTCUSDT')?.trades;
  return trades === undefined || trades.length === 0 ? 1 : trades.at(trades.length - 1).a + 1;
}

/** From the reset until a trade that was made after it is out: in order, so everything before it is. */
async function reset(lane: Lane): Promise<number> {
  await sleep(BETWEEN_RESETS_MS * (0.95 + Math.random() * 0.1));
  return recovery(lane, nextId(lane.exchange), () => lane.exchange.resetConnections());
}

/** From a trade whose frame is lost until that trade is out. */
async function hole(lane: Lane): Promise<number> {
  const { exchange } = lane;
  await sleep(BETWEEN_HOLES_MS);
  const lost = Promise.withResolvers<number>();
  exchange.faults.onFrame = (frame: Frame) => {
    const id = /"e":"aggTrade".*"a":(\d+)/.exec(frame.text)?.[1];
    if (id === undefined) return [frame];
    exchange.faults.onFrame = undefined;
    lost.resolve(Number(id));
    return [];
  };
  return recovery(lane, await lost.promise, () => undefined);
}

/** The longest time without a trade at a planned change, and in a time as long before it. */
async function change({ exchange, reader }: Lane): Promise<readonly [number, number]> {
  const spanMs = SHUTDOWN_MS + SETTLED_MS;
  await sleep(spanMs);
  const begun = performance.now();
  const announcedAt = exchange.now();
  exchange.announceShutdown();
  await sleep(SHUTDOWN_MS);
  exchange.closeConnections(1001, 'shutting down', announcedAt);
  await sleep(SETTLED_MS);
  return [reader.longestGap(begun, begun + spanMs), reader.longestGap(begun - spanMs, begun)];
}

async function measure(count: number, samples: Samples): Promise<void> {
  await using market = await openBenchMarket(1, { days: 40, minuteDays: 2 });
  const { exchange, dataDir } = market;
  exchange.faults.restDelayMs = REST_DELAY_MS;
  const load = exchange.startLoad({ tradesPerSecond: TRADES_PER_SECOND, seed: 7 });
  await using product = await startProduct({ exchange, dataDir });
  const lane = { exchange, reader: read(product.url) };
  await sleep(WARM_UP_MS);
  for (let index = 0; index < count; index++) samples.holes.push(await hole(lane));
  for (let index = 0; index < count; index++) {
    const [around, before] = await change(lane);
    samples.changes.push(around);
    samples.spacings.push(before);
  }
  for (let index = 0; index < count; index++) samples.resets.push(await reset(lane));
  load.stop();
}

function line(name: string, values: readonly number[]): string {
  const sorted = [...values].sort((one, two) => one - two);
  const at = (share: number) => percentile(sorted, share).toFixed(0).padStart(5);
  return `${name.padEnd(56)} p50 ${at(0.5)} ms   p99 ${at(0.99)} ms   max ${at(1)} ms   (${sorted.length} samples)`;
}

console.log(machineLine());
console.log(
  `${LANES} products side by side, ${TRADES_PER_SECOND} trades/s each; REST answers after ${REST_DELAY_MS} ms, subtracted for each page of trades`,
);
const samples: Samples = { resets: [], holes: [], changes: [], spacings: [] };
const share = Math.ceil(SAMPLES / LANES);
await Promise.all(Array.from({ length: LANES }, () => measure(share, samples)));
console.log(line('a reset → current again', samples.resets));
console.log(line('a lost frame → its trade is out', samples.holes));
console.log(line('planned change: longest time between two trades', samples.changes));
console.log(line('  the same without a change', samples.spacings));
process.exit(0);

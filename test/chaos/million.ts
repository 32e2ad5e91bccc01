// Very many trades at a high rate, with 1 % of the frames dropped, 1 % doubled, 1 % reordered and a reset every 20 s: what is lost, what is doubled?
// Counts ids on the product's own trade stream, and compares every candle. Prints nothing.
import WebSocket from 'ws';
import { MINUTE } from '../fake-exchange/calendar.ts';
import { createFakeExchange, type FakeExchange } from '../fake-exchange/fake-exchange.ts';
import { chainFaults, delayFrames, doubleFrames, dropFrames } from '../fake-exchange/faults.ts';
import { generateHistory } from '../fake-exchange/generate.ts';
import { seededRandom } from '../fake-exchange/random.ts';
import { compareStore, frameFaults, truthOf } from './check.ts';
import { openDisk } from './disk.ts';
import { createKeeper } from './keeper.ts';
import { stepClock } from './step-clock.ts';
import { until } from './until.ts';

const SYMBOL = 'BTCUSDT';
const TRADES_PER_SECOND = 5_000;
const SHARE = 0.01;
const REORDER_MS_MAX = 100;
const RESET_INTERVAL_MS = 20_000;
/** Time to start and to join before the load begins (ms). */
const LEAD_MS = 5_000;
const SETTLE_MS_MAX = 180_000;

export interface MillionResult {
  readonly sent: number;
  /** Ids the product's own stream left out, or sent twice or out of order. */
  readonly lost: number;
  readonly doubled: number;
  readonly resets: number;
  readonly compared: number;
  readonly seconds: number;
  readonly faults: readonly string[];
}

export async function runMillion(
  trades: number,
  seed: number,
  logFile: string,
): Promise<MillionResult> {
  const startedAt = performance.now();
  const random = seededRandom(seed);
  const loadMs = (trades / TRADES_PER_SECOND) * 1_000;
  // The load ends just before a minute's end.
  const to = Math.ceil(Date.UTC(2026, 5, 1) / MINUTE + (loadMs + LEAD_MS) / MINUTE) * MINUTE;
  const from = to - loadMs - LEAD_MS;
  await using disk = await openDisk(false);
  await using exchange = await createFakeExchange({
    symbols: [
      { symbol: SYMBOL, klines: generateHistory({ seed, to: from, days: 38, minuteDays: 2 }) },
    ],
    clock: stepClock(from),
  });
  await using keeper = createKeeper({
    exchange,
    dataDir: disk.dataDir,
    symbols: [SYMBOL],
    logFile,
  });
  const before = exchange.startLoad({ tradesPerSecond: 50, seed, symbols: [SYMBOL] });
  await keeper.start();
  const ids = countIds(keeper.lives[0]?.product.url ?? '');
  await until(() => ids.last() > 0, SETTLE_MS_MAX);
  before.stop();
  exchange.faults.onFrame = chainFaults(
    dropFrames(SHARE, random),
    doubleFrames(SHARE, random),
    delayFrames(SHARE, REORDER_MS_MAX, random),
  );
  let resets = 0;
  const resetting = setInterval(() => {
    resets += 1;
    exchange.resetConnections();
  }, RESET_INTERVAL_MS);
  const load = exchange.startLoad({ tradesPerSecond: TRADES_PER_SECOND, seed, symbols: [SYMBOL] });
  await until(() => load.sent >= trades, loadMs * 3);
  load.stop();
  clearInterval(resetting);
  exchange.faults.onFrame = undefined;

  const end = Math.ceil(exchange.now() / MINUTE) * MINUTE;
  await until(() => exchange.now() > end + 1_000, 2 * MINUTE);
  const truth = truthOf(exchange, [SYMBOL], end);
  await until(async () => {
    const life = keeper.lives.at(-1);
    const isStreamed = life !== undefined && frameFaults(life.watch, truth, end, true).length === 0;
    if (!isStreamed || ids.last() < lastId(exchange)) return false;
    return (await compareStore(exchange, disk.dataDir, truth)).differences.length === 0;
  }, SETTLE_MS_MAX);
  await keeper.stop();
  const stored = await compareStore(exchange, disk.dataDir, truth);
  const faults = [
    ...stored.differences,
    ...keeper.lives.flatMap((life) => frameFaults(life.watch, truth, end, true)),
    ...keeper.exits,
    ...exchange.breaches.map(({ type, detail }) => `breach of ${type}: ${detail}`),
  ];
  const lost = ids.lost() + Math.max(0, lastId(exchange) - ids.last());
  if (lost > 0) faults.push(`${lost} trades lost`);
  if (ids.doubled() > 0) faults.push(`${ids.doubled()} trades doubled`);
  return {
    sent: load.sent,
    lost,
    doubled: ids.doubled(),
    resets,
    compared: stored.compared,
    seconds: (performance.now() - startedAt) / 1_000,
    faults,
  };
}

function lastId(exchange: FakeExchange): number {
  const list = exchange.market.find(SYMBOL)?.trades;
  return list === undefined || list.length === 0 ? 0 : list.at(list.length - 1).a;
}

/** Follows the product's own trade stream, on which each id is to come once, after the one before it. */
function countIds(url: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/${SYMBOL.toLowerCase()}@aggTrade`);
  let [last, lost, doubled] = [0, 0, 0];
  socket.on('message', (data) => {
    const event = JSON.parse(String(data));
    if (event.e !== 'aggTrade') return;
    const id = Number(event.a);
    if (id <= last) doubled += 1;
    else {
      if (last > 0) lost += id - last - 1;
      last = id;
    }
  });
  return { last: () => last, lost: () => lost, doubled: () => doubled };
}

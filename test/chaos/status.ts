// What the user is told when the market cannot be seen: each way to lose it, and how long `/api/v1/live` goes on saying that all is well (I12).
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import type { ServerMessage, StatusView } from '../../src/protocol/browser.ts';
import { createFakeExchange, type FakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateHistory } from '../fake-exchange/generate.ts';
import { openDisk } from './disk.ts';
import { createKeeper, type Keeper } from './keeper.ts';
import { until } from './until.ts';

const SYMBOL = 'BTCUSDT';
/** What the user was promised. */
const TOLD_MS_MAX = 5_000;
const HEARTBEAT_MS_MAX = 2_000;
const LIVE_AGAIN_MS_MAX = 30_000;
const LOST_MS = 8_000;

interface Way {
  lose(exchange: FakeExchange, keeper: Keeper): Promise<void>;
  find(exchange: FakeExchange): Promise<void> | void;
}

/** How the market is lost; the time counts from when `lose` is done. */
const WAYS: Readonly<Record<string, Way>> = {
  'the exchange falls silent': {
    lose: async (exchange) => exchange.freeze(),
    find: (exchange) => exchange.unfreeze(),
  },
  'the endpoints cannot be reached': {
    lose: (exchange) => exchange.stop(),
    find: (exchange) => exchange.start(),
  },
  'no answer from any network': {
    lose: async (exchange) => exchange.freeze('everything'),
    find: (exchange) => exchange.unfreeze(),
  },
  // The connection dies while nobody is awake to see it: the time counts from the waking.
  'the laptop sleeps': {
    async lose(exchange, keeper) {
      const asleep = keeper.pause(LOST_MS);
      exchange.freeze();
      await asleep;
    },
    find: (exchange) => exchange.unfreeze(),
  },
};

export interface StatusResult {
  readonly way: string;
  /** Until the first word that the chart is not current (ms); `Infinity`: never. */
  readonly toldMs: number;
  readonly state: StatusView['state'] | undefined;
  /** Until it is live again (ms). */
  readonly liveAgainMs: number;
  /** Longest time without a word from the server (ms), sleep excepted. */
  readonly silentMs: number;
  readonly faults: readonly string[];
}

export async function runStatus(logFile: string): Promise<readonly StatusResult[]> {
  const results: StatusResult[] = [];
  for (const [name, way] of Object.entries(WAYS)) {
    results.push(await runWay(name, way, logFile));
  }
  return results;
}

async function runWay(name: string, way: Way, logFile: string): Promise<StatusResult> {
  await using disk = await openDisk(false);
  const klines = generateHistory({ seed: 1, to: Date.now(), days: 38, minuteDays: 2 });
  await using exchange = await createFakeExchange({ symbols: [{ symbol: SYMBOL, klines }] });
  await using keeper = createKeeper({
    exchange,
    dataDir: disk.dataDir,
    symbols: [SYMBOL],
    logFile,
  });
  exchange.startLoad({ tradesPerSecond: 20, seed: 1 });
  await keeper.start();
  const told = listen(keeper.lives[0]?.product.url ?? '');
  await until(() => told.newest()?.state === 'live', LIVE_AGAIN_MS_MAX);
  const begun = performance.now();
  await way.lose(exchange, keeper);
  const lostAt = performance.now();
  await sleep(LOST_MS);
  const first = told.since(lostAt).find(({ status }) => isNotCurrent(status));
  const foundAt = performance.now();
  await way.find(exchange);
  await until(() => told.newest()?.state === 'live', LIVE_AGAIN_MS_MAX);
  const toldMs = first === undefined ? Number.POSITIVE_INFINITY : first.at - lostAt;
  const liveAgainMs = performance.now() - foundAt;
  const silentMs = told.silentMs(begun, lostAt);
  const faults = [
    ...(toldMs <= TOLD_MS_MAX ? [] : [`told after ${toldMs.toFixed(0)} ms`]),
    ...(liveAgainMs < LIVE_AGAIN_MS_MAX ? [] : ['not live again']),
    ...(silentMs <= HEARTBEAT_MS_MAX ? [] : [`no word for ${silentMs.toFixed(0)} ms`]),
    ...keeper.exits,
  ];
  return { way: name, toldMs, state: first?.status.state, liveAgainMs, silentMs, faults };
}

/** Says by itself that what is shown may be old. */
function isNotCurrent({ state }: StatusView): boolean {
  return state !== 'live' && state !== 'repairing';
}

interface Told {
  readonly at: number;
  readonly status: StatusView;
}

function listen(url: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/live`);
  const heard: Told[] = [];
  socket.on('message', (data) => {
    const message: ServerMessage = JSON.parse(String(data));
    if (message.type !== 'status' && message.type !== 'hello') return;
    heard.push({ at: performance.now(), status: message.status });
  });
  return {
    newest: () => heard.at(-1)?.status,
    since: (time: number) => heard.filter(({ at }) => at >= time),
    /** Longest pause between two words, but for the time from `from` to `to`. */
    silentMs: (from: number, to: number) =>
      heard.reduce((longest, { at }, index) => {
        const before = heard[index - 1]?.at ?? at;
        const isExcepted = before <= to && at >= from;
        return isExcepted ? longest : Math.max(longest, at - before);
      }, 0),
  };
}

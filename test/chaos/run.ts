// One run: a market, the product as a process, one fault or all of them, and then: is every candle true? Prints nothing.
import { rm } from 'node:fs/promises';
import { MINUTE } from '../fake-exchange/calendar.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { seededRandom } from '../fake-exchange/random.ts';
import { compareStore, frameFaults, truthOf } from './check.ts';
import { openDisk } from './disk.ts';
import { createFaultWorld } from './fault-world.ts';
import { FAULTS, type FaultName, SHARE_OF_ALL } from './faults.ts';
import { createKeeper } from './keeper.ts';
import { chaosMarket } from './market.ts';
import { stepClock } from './step-clock.ts';
import { until } from './until.ts';

export interface RunOptions {
  readonly seed: number;
  readonly fault: FaultName;
  /** Of market after midnight; as long as real ones. */
  readonly minutes: number;
  readonly logFile: string;
}

export interface RunResult {
  readonly seed: number;
  readonly fault: FaultName;
  readonly trades: number;
  readonly injected: number;
  readonly compared: number;
  readonly corrected: number;
  readonly audited: number;
  readonly lives: number;
  readonly seconds: number;
  /** What is wrong; empty: all is true. */
  readonly faults: readonly string[];
}

/** How long the product may take to be right again once all faults are over (real). */
const SETTLE_MS_MAX = 90_000;
/** Closed klines leave so long after their window (exchange ms), as seen on the real one. */
const CLOSE_DELAY_MS: readonly [number, number] = [4, 2_400];

export async function runChaos(options: RunOptions): Promise<RunResult> {
  const { seed, fault, minutes } = options;
  const startedAt = performance.now();
  await rm(options.logFile, { force: true });
  const random = seededRandom(seed);
  const { needsDisk = false, lifetimeMs, mayEnd, skipMs = 0, plan } = FAULTS[fault];
  const market = chaosMarket(seed, minutes + skipMs / MINUTE);
  const clock = stepClock(market.from);
  await using disk = await openDisk(needsDisk);
  await using exchange = await createFakeExchange({
    symbols: market.symbols,
    clock,
    closeDelayMs: () =>
      Math.floor(CLOSE_DELAY_MS[0] + random() * (CLOSE_DELAY_MS[1] - CLOSE_DELAY_MS[0])),
    klinesBeforeTrades: random() < 0.5,
    ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
  });
  const { dataDir } = disk;
  const { names: symbols, to } = market;
  await using keeper = createKeeper({ exchange, dataDir, symbols, logFile: options.logFile });
  const played = exchange.play(market.tape);
  await keeper.start();
  const playMs = to - skipMs - exchange.now();
  const share = fault === 'all' ? SHARE_OF_ALL : 1;
  await using faults = createFaultWorld({ exchange, keeper, disk, clock, random, share, playMs });
  plan(faults.world);
  await played;
  await faults.over();
  await keeper.start();
  await until(() => exchange.now() > to + CLOSE_DELAY_MS[1], SETTLE_MS_MAX);

  const truth = truthOf(exchange, symbols, to);
  const compare = () => compareStore(exchange, dataDir, truth);
  await until(async () => {
    const life = keeper.lives.at(-1);
    const isStreamed = life !== undefined && frameFaults(life.watch, truth, to, true).length === 0;
    return isStreamed && (await compare()).differences.length === 0;
  }, SETTLE_MS_MAX);
  const wrong: string[] = [];
  const code = await keeper.stop();
  if (code !== 0) wrong.push(`ended with ${code} when it was asked to end`);
  const stored = await compare();
  wrong.push(...stored.differences);
  for (const [index, life] of keeper.lives.entries()) {
    const isLast = index === keeper.lives.length - 1;
    const name = `life ${index + 1}`;
    // Where it ended by itself it said so on its streams: that is judged among the exits.
    const watch = life.end === 'exit' ? { ...life.watch, cut: undefined } : life.watch;
    wrong.push(...frameFaults(watch, truth, to, isLast).map((each) => `${name}: ${each}`));
  }
  wrong.push(...keeper.exits.filter((each) => mayEnd === undefined || !mayEnd.test(each)));
  wrong.push(...exchange.breaches.map(({ type, detail }) => `breach of ${type}: ${detail}`));
  wrong.push(...faults.breaches.slice(0, 5));
  return {
    seed,
    fault,
    trades: market.trades,
    injected: faults.injected,
    compared: stored.compared,
    corrected: stored.corrected,
    audited: stored.audited,
    lives: keeper.lives.length,
    seconds: (performance.now() - startedAt) / 1_000,
    faults: wrong,
  };
}

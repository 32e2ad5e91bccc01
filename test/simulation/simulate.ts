// One run: the product's whole pipeline against the fake exchange under virtual time, with the faults of its seed; then the judgement.
// Real time and real randomness have no part in it: the same seed gives the same trace, byte for byte.
import { FeedError } from '../../src/feed/market-feed.ts';
import type { CandleStore } from '../../src/store/candle-store.ts';
import { planChaos, type Victim } from './chaos.ts';
import type { FaultName } from './fault-kinds.ts';
import { judge } from './judge.ts';
import { keptStore } from './kept-store.ts';
import { createLife, type Life } from './life.ts';
import { lifeStore } from './life-store.ts';
import { drawPlan, type Plan, type PlanOptions } from './plan.ts';
import { drawOf, hash } from './random.ts';
import { createSimExchange } from './sim-exchange.ts';
import { type SimProduct, startProduct } from './sim-product.ts';
import { makeMarket } from './tape.ts';
import { createTrace } from './trace.ts';
import { createVirtualTime } from './virtual-time.ts';
import { fairWeather } from './weather.ts';

export interface Outcome {
  readonly plan: Plan;
  /** Of the whole trace. */
  readonly digest: string;
  /** What was wrong; empty where nothing was. */
  readonly failures: readonly string[];
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  readonly lives: number;
  readonly trades: number;
  readonly published: number;
  readonly steps: number;
  readonly lines: readonly string[];
}

export interface SimulateOptions extends PlanOptions {
  /** Keep every line of the trace. Default false: its hash alone. */
  readonly keepTrace?: boolean;
  /** What outlives the processes. Default: in memory. */
  readonly store?: CandleStore;
}

/** A process that has not ended so long after Ctrl-C (ms) is killed, as it does itself. */
const STOP_MS_MAX = 5_000;
/** A process that ended by itself is started again after this (ms). */
const SUPERVISOR_MS = 5_000;
/** A crash at one of the next so many things that leave the process, or after so long (ms). */
const CRASH_IO_MAX = 300;
const CRASH_MS_MAX = 20_000;

export async function simulate(options: SimulateOptions): Promise<Outcome> {
  const plan = drawPlan(options);
  const trace = createTrace(options.keepTrace ?? false);
  const failures: string[] = [];
  const onUnhandled = (error: unknown) => failures.push(`Unhandled rejection: ${detail(error)}`);
  process.on('unhandledRejection', onUnhandled);
  try {
    return await run(plan, options.store ?? keptStore(), trace, failures);
  } finally {
    process.off('unhandledRejection', onUnhandled);
  }
}

async function run(
  plan: Plan,
  kept: CandleStore,
  trace: ReturnType<typeof createTrace>,
  failures: string[],
): Promise<Outcome> {
  const { seed } = plan;
  const market = makeMarket(plan);
  const weather = fairWeather();
  const exchange = createSimExchange({
    start: plan.start,
    symbols: market.symbols,
    tape: market.tape,
    // By window and not in turn, so that it does not hang on who asks: 4 ms to 2.4 s, as seen.
    closeDelayMs: (symbol, interval, end) =>
      4 + (hash(`${seed} ${symbol} ${interval} ${end}`) % 2_400),
    klinesBeforeTrades: seed % 2 === 0,
    lifetimeMs: plan.lifetimeMs,
    weather,
    draw: drawOf(seed, 'weather'),
  });
  const time = createVirtualTime(plan.start, exchange);
  const faults: Partial<Record<FaultName, number>> = {};
  const products: SimProduct[] = [];
  const draw = drawOf(seed, 'victim');
  const clockSetAt: number[] = [];
  let skewMs = plan.skewMs;
  let refusedAt = Number.NEGATIVE_INFINITY;
  let restartAfterMs = SUPERVISOR_MS;
  const note = (what: string) => trace.add(time.now(), what);

  function boot(): void {
    const number = products.length + 1;
    note(`#${number} starts`);
    const life = createLife({
      number,
      time,
      skewMs: () => skewMs,
      clockSetAt: () => clockSetAt,
      onDeath(where) {
        note(`#${number} dies ${where}`);
        products[number - 1]?.network.abandon(draw.chance(0.3));
        time.after(restartAfterMs, boot);
      },
    });
    const store = lifeStore({
      kept,
      life,
      time,
      weather,
      onWrite: (count) => note(`#${number} stored ${count} candles`),
    });
    const onFailed = (error: unknown) => failed(life, error);
    products.push(startProduct({ plan, life, time, exchange, store, trace, onFailed }));
  }

  /** A process may give up where every endpoint refuses it; it is started again. All else is a fault. */
  function failed(life: Life, error: unknown): void {
    if (!life.isAlive()) return;
    note(`#${life.number} failed: ${detail(error)}`);
    if (weather.rest === 403 || weather.rest === 'html') refusedAt = time.now();
    const isRefusal = error instanceof FeedError && error.code === 'refused';
    if (!isRefusal || time.now() - refusedAt > 60_000) {
      failures.push(`Process ${life.number} ended by itself: ${detail(error)}`);
    }
    restartAfterMs = SUPERVISOR_MS;
    life.die();
  }

  function alive(): SimProduct | undefined {
    const newest = products.at(-1);
    return newest?.life.isAlive() ? newest : undefined;
  }

  const victim: Victim = {
    crash(afterMs, isAtIo) {
      const product = alive();
      if (product === undefined) return;
      restartAfterMs = afterMs;
      if (!isAtIo) return product.life.die();
      product.life.dieAt(draw.integer(1, CRASH_IO_MAX), draw.chance(0.5));
      time.after(CRASH_MS_MAX, () => product.life.die());
    },
    restart(afterMs) {
      const product = alive();
      if (product === undefined || product.life.isPaused()) return;
      const { life } = product;
      note(`#${life.number} is asked to end`);
      const end = (how: string) => {
        if (!life.isAlive()) return;
        note(`#${life.number} ${how}`);
        restartAfterMs = afterMs;
        life.die();
      };
      product.stop().then(
        () => end('has ended'),
        (error: unknown) => failures.push(`Process ${life.number} failed to end: ${detail(error)}`),
      );
      time.after(STOP_MS_MAX, () => end('is killed'));
    },
    pause: () => alive()?.life.pause(),
    sleep() {
      const product = alive();
      product?.life.sleep();
      product?.network.sever();
    },
    resume: () => alive()?.life.resume(),
    stepClock(byMs) {
      skewMs += byMs;
      clockSetAt.push(time.now());
      note(`the machine's clock is set by ${byMs} ms`);
    },
  };

  planChaos(
    {
      exchange,
      time,
      victim,
      draw: drawOf(seed, 'chaos'),
      hosts: Array.from({ length: plan.endpoints }, (_, index) => `api-${index + 1}.sim`),
      onFault({ kind, durationMs, force }) {
        faults[kind] = (faults[kind] ?? 0) + 1;
        note(`fault: ${kind} for ${durationMs} ms, force ${force.toFixed(3)}`);
      },
    },
    plan.episodes,
  );
  for (const kind of ['clock-skew', 'rotation', 'quiet-symbol'] as const) {
    if (plan.kinds.has(kind)) faults[kind] = 1;
  }
  if (plan.bursts.length > 0) faults.burst = plan.bursts.length;
  boot();
  await time.runTo(plan.end);
  failures.push(...(await judge({ plan, market, exchange, store: kept, products })));
  for (const failure of failures) note(`FAILURE ${failure}`);
  const lines = trace.lines;
  // What still runs is left without a world: nothing of it may reach the next run.
  const digest = trace.digest();
  for (const { life } of products) life.die();
  return {
    plan,
    digest,
    failures,
    faults,
    lives: products.length,
    trades: [...market.trades.values()].reduce((sum, { length }) => sum + length, 0),
    published: products.reduce((sum, { published }) => sum + published.length, 0),
    steps: time.steps,
    lines,
  };
}

function detail(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

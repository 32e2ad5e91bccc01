// Makes each fault happen when the plan says so, and end. What the product does about it is not its business.
import type { FaultName } from './fault-kinds.ts';
import type { Episode } from './plan.ts';
import type { Draw } from './random.ts';
import type { SimExchange } from './sim-exchange.ts';
import type { VirtualTime } from './virtual-time.ts';
import { fairWeather, type Weather } from './weather.ts';

/** What can be done to the product's process and its machine. */
export interface Victim {
  /** `isAtIo`: as it reads, writes, sends, waits; else at any moment. */
  crash(restartAfterMs: number, isAtIo: boolean): void;
  restart(restartAfterMs: number): void;
  pause(): void;
  sleep(): void;
  resume(): void;
  /** The machine's clock is set, by so much (ms). */
  stepClock(byMs: number): void;
}

export interface ChaosOptions {
  readonly exchange: SimExchange;
  readonly time: VirtualTime;
  readonly victim: Victim;
  readonly draw: Draw;
  readonly hosts: readonly string[];
  readonly onFault: (episode: Episode) => void;
}

export function planChaos(options: ChaosOptions, episodes: readonly Episode[]): void {
  const { time } = options;
  const acts: Acts = {
    ...BY_THEMSELVES,
    ...streamActs(options),
    ...restActs(options),
    ...victimActs(options),
  };
  for (const episode of episodes) {
    time.after(episode.at - time.now(), () => {
      options.onFault(episode);
      acts[episode.kind](episode.durationMs, episode.force);
    });
  }
}

/** `force` in [0, 1): how bad. */
type Act = (ms: number, force: number) => void;
type Acts = Readonly<Record<FaultName, Act>>;

/** They are so from the beginning, or lie in the trades. */
const BY_THEMSELVES = {
  'clock-skew'() {},
  rotation() {},
  'quiet-symbol'() {},
  burst() {},
};

const MINUTE = 60_000;
const CLOSE_CODES = [1000, 1001, 1008, 1011, 1012] as const;

/** Some aspects of the weather are so for a while; where two overlap, the later one counts. */
function change({ exchange, time }: ChaosOptions, ms: number, changes: Partial<Weather>): void {
  const { weather } = exchange;
  Object.assign(weather, changes);
  time.after(ms, () => {
    const fair = fairWeather();
    for (const [name, value] of Object.entries(changes)) {
      const key = name as keyof Weather;
      if (weather[key] === value) Object.assign(weather, { [key]: fair[key] });
    }
  });
}

function someHost({ draw, hosts }: ChaosOptions): string | undefined {
  return draw.chance(0.3) ? hosts[0] : undefined;
}

function silence({ exchange, time }: ChaosOptions, ms: number): void {
  exchange.connections.freeze();
  time.after(ms, () => exchange.connections.unfreeze());
}

function streamActs(options: ChaosOptions) {
  const { exchange, time, draw } = options;
  const { connections } = exchange;
  const connecting = (ms: number, how: Weather['connecting']) => {
    change(options, ms, { connecting: how, host: someHost(options) });
    connections.reset();
  };
  const frames = (changes: (force: number) => Partial<Weather>): Act => {
    return (ms, force) => change(options, ms, changes(force));
  };
  return {
    reset: () => connections.reset(),
    'clean-close': () => connections.close(draw.pick(CLOSE_CODES), 'bye', time.now()),
    'refuse-connection': (ms: number) => connecting(ms, 'refused'),
    'refuse-handshake': (ms: number) => connecting(ms, draw.pick([418, 429, 500, 503] as const)),
    'hang-handshake': (ms: number) => connecting(ms, 'hangs'),
    silence: (ms: number) => silence(options, ms),
    'drop-trades': frames((force) => ({ dropTrades: force ** 3 })),
    'double-trades': frames((force) => ({ doubleTrades: force })),
    'reorder-trades': frames((force) => ({ reorderTrades: force })),
    'malformed-frames': frames((force) => ({ malformedFrames: force ** 3 })),
    'drop-klines': frames((force) => ({ dropKlines: force })),
    'double-klines': frames((force) => ({ doubleKlines: force })),
    'late-klines': frames((force) => ({ closedKlinesLateMs: Math.round(1 + 20_000 * force ** 2) })),
    'klines-before-trades': frames((force) => ({
      tradesLateMs: Math.round(1 + 4_000 * force ** 2),
    })),
    'slow-network': frames((force) => ({ slownessMs: Math.round(50 + 8_000 * force ** 2) })),
    'server-shutdown'() {
      connections.announceShutdown();
      if (draw.chance(0.3)) return;
      // Those who were told; who has come since is at another server.
      const told = time.now();
      time.after(draw.integer(1, MINUTE), () => connections.close(1001, 'Going away', told));
    },
    outage(ms: number) {
      change(options, ms, {
        connecting: draw.pick<Weather['connecting']>([503, 'refused', 'hangs']),
        rest: draw.pick<Weather['rest']>([500, 'hangs', 'refused']),
        restShare: 1,
        host: undefined,
      });
      if (draw.chance(0.5)) connections.reset();
      else silence(options, ms);
    },
  };
}

function restActs(options: ChaosOptions) {
  const { time } = options;
  const failing =
    (rest: Weather['rest']): Act =>
    (ms, force) =>
      change(options, ms, { rest, restShare: 0.3 + 0.7 * force, host: someHost(options) });
  const limited =
    (rest: 418 | 429): Act =>
    (ms) =>
      change(options, ms, { rest, restShare: 1, retryAt: time.now() + ms, host: undefined });
  return {
    'rest-429': limited(429),
    'rest-418': limited(418),
    'rest-500': failing(500),
    'rest-403': failing(403),
    'rest-html': failing('html'),
    'rest-hangs': failing('hangs'),
    'rest-refused': failing('refused'),
    'rest-aborted': failing('aborted'),
    'rest-short-pages': failing('short'),
    'rest-slow': (ms: number, force: number) =>
      change(options, ms, { restSlowMs: Math.round(100 + 11_000 * force) }),
    'rest-lag': (ms: number, force: number) =>
      change(options, ms, { restLagMs: Math.round(100 + 40_000 * force ** 2) }),
  };
}

function victimActs(options: ChaosOptions) {
  const { time, victim, draw } = options;
  const interrupted = (ms: number, begin: () => void) => {
    begin();
    time.after(ms, victim.resume);
  };
  const crash: Act = (ms, force) => victim.crash(ms, force < 0.8);
  return {
    'clock-step': (_: number, force: number) =>
      victim.stepClock(Math.round((force - 0.5) * 10 * MINUTE)),
    'machine-sleep': (ms: number) => interrupted(ms, victim.sleep),
    /** Its clock has stood still too, and is right again when somebody asks the network for the time. */
    'machine-suspend'(ms: number) {
      interrupted(ms, victim.sleep);
      time.after(ms, () => victim.stepClock(-ms));
      time.after(ms + draw.integer(1_000, MINUTE), () => victim.stepClock(ms));
    },
    pause: (ms: number) => interrupted(ms, victim.pause),
    'store-fails': (ms: number) => change(options, ms, { store: 'fails' }),
    'store-slow': (ms: number, force: number) =>
      change(options, ms, { storeSlowMs: Math.round(10 + 4_000 * force ** 2) }),
    crash,
    'crash-long': crash,
    restart: (ms: number) => victim.restart(ms),
  };
}

// What will happen in a run, all of it drawn from the seed before it begins: symbols, trades, faults and when.
import { DAY, HOUR, INTERVALS, type Interval, MINUTE, SECOND } from '../fake-exchange/calendar.ts';
import { FAULT_KINDS, FAULT_NAMES, type FaultName, needsResets } from './fault-kinds.ts';
import { type Draw, drawOf } from './random.ts';

/** After the last fault everything must be right again within this: a ban, a hole's last try, a question about the time. */
export const SETTLE_MS = 10 * MINUTE;

/** A step of the machine's clock is noticed when the exchange's time is asked for again, at the latest after 10 minutes. */
const CLOCK_SETTLE_MS = 10 * MINUTE + 30 * SECOND;

export interface Episode {
  readonly kind: FaultName;
  readonly at: number;
  readonly durationMs: number;
  /** In [0, 1): how bad. */
  readonly force: number;
}

export interface SymbolPlan {
  readonly symbol: string;
  readonly price: string;
  readonly tickSize: string;
  readonly stepSize: string;
  readonly tradesPerSecond: number;
}

export interface Plan {
  readonly seed: number;
  /** The first trade's minute; history ends here. */
  readonly tapeFrom: number;
  /** The product starts. */
  readonly start: number;
  /** The last fault is over. */
  readonly faultsEnd: number;
  readonly end: number;
  readonly symbols: readonly SymbolPlan[];
  readonly historyDays: number;
  readonly kinds: ReadonlySet<FaultName>;
  /** In order of `at`. */
  readonly episodes: readonly Episode[];
  readonly outages: readonly (readonly [from: number, to: number])[];
  readonly bursts: readonly number[];
  /** The machine's clock minus the exchange's at the start. */
  readonly skewMs: number;
  readonly latencyMs: number;
  readonly lifetimeMs: number;
  readonly endpoints: number;
  /** How often an open candle is written. */
  readonly liveUpdateMs: number;
  /** Our own `@kline` streams that are listened to: all would be half of a run's work. */
  readonly klineIntervals: readonly Interval[];
}

export interface PlanOptions {
  readonly seed: number;
  readonly hours: number;
  /** Only these faults; default: drawn. */
  readonly kinds?: readonly FaultName[];
}

/** Days on which the run begins some minutes before midnight: a day, a week, a month, 3 days end in it; and one like any other. */
const MIDNIGHTS = [
  Date.UTC(2026, 0, 15),
  Date.UTC(2026, 1, 1),
  Date.UTC(2026, 1, 2),
  Date.UTC(2026, 2, 1),
] as const;

/** Hours may pass between two of its trades. */
export const QUIET_SYMBOL = 'LTCUSDT';

const SYMBOLS: readonly SymbolPlan[] = [
  {
    symbol: 'BTCUSDT',
    price: '90000',
    tickSize: '0.01000000',
    stepSize: '0.00001000',
    tradesPerSecond: 1,
  },
  // Price and quantity have nine decimals together: each trade's quote value is cut.
  {
    symbol: 'ETHBTC',
    price: '0.03512',
    tickSize: '0.00001000',
    stepSize: '0.00010000',
    tradesPerSecond: 1,
  },
  {
    symbol: QUIET_SYMBOL,
    price: '84.31',
    tickSize: '0.01000000',
    stepSize: '0.00100000',
    tradesPerSecond: 0.01,
  },
];

/** A mixed run has so much of each fault. */
const MIXED_SHARE = 0.35;

export function drawPlan(options: PlanOptions): Plan {
  const { seed } = options;
  const draw = drawOf(seed, 'plan');
  const kinds = new Set(options.kinds ?? drawKinds(draw));
  const tapeFrom = drawStart(draw, options.hours);
  const start = tapeFrom + draw.integer(1, 150) * SECOND + draw.integer(0, 999);
  const end = start + options.hours * HOUR;
  const faultsEnd = Math.max(start, end - SETTLE_MS);
  const outages = drawOutages(draw, kinds, start, faultsEnd);
  const episodes = drawEpisodes(draw, kinds, start, faultsEnd);
  const bursts = kinds.has('burst') ? drawMoments(draw, 'burst', kinds.size, start, faultsEnd) : [];
  const hasQuiet = kinds.has('quiet-symbol');
  const count = draw.chance(0.15) ? 1 : 2;
  return {
    seed,
    tapeFrom,
    start,
    faultsEnd,
    end,
    symbols: drawSymbols(draw, count, hasQuiet),
    historyDays: draw.pick([2, 2, 2, 5]),
    kinds,
    episodes: [...episodes, ...outages.map(outageEpisode)].sort((one, two) => one.at - two.at),
    outages,
    bursts,
    skewMs: kinds.has('clock-skew') ? draw.integer(-5 * MINUTE, 5 * MINUTE) : draw.integer(-40, 40),
    latencyMs: draw.integer(0, 60),
    lifetimeMs: kinds.has('rotation') ? draw.integer(60, 1_200) * SECOND : DAY,
    endpoints: draw.integer(1, 2),
    liveUpdateMs: draw.pick([16, 250, 1_000, 1_000]),
    klineIntervals: drawKlineIntervals(draw),
  };
}

/** Four in ten: one fault alone; the others: some, up to all. */
function drawKinds(draw: Draw): FaultName[] {
  if (draw.chance(0.4)) {
    const kind = draw.pick(FAULT_NAMES);
    return needsResets(kind) ? [kind, 'reset'] : [kind];
  }
  const share = draw.random();
  const kinds = FAULT_NAMES.filter(() => draw.random() < share);
  return kinds.length === 0 ? ['reset'] : kinds;
}

/** Some seeds are busy, some slow: a symbol trades every ten seconds, or three times in two. */
function drawSymbols(draw: Draw, count: number, hasQuiet: boolean): SymbolPlan[] {
  const busy = SYMBOLS.slice(0, count).map((symbol) => ({
    ...symbol,
    tradesPerSecond: draw.pick([0.1, 0.3, 0.6, 1, 1.5]),
  }));
  return [...busy, ...(hasQuiet ? SYMBOLS.slice(2) : [])];
}

function drawKlineIntervals(draw: Draw): Interval[] {
  const long = INTERVALS.slice(2);
  const drawn = [draw.integer(0, long.length - 1), draw.integer(0, 4)];
  return ['1s', '1m', ...long.filter((_, index) => drawn.includes(index))];
}

function drawStart(draw: Draw, hours: number): number {
  const midnight = draw.pick(MIDNIGHTS);
  const before = draw.chance(0.5)
    ? draw.integer(2, Math.max(3, Math.floor(hours * 60) - 15))
    : draw.integer(100, 1_300);
  return midnight - before * MINUTE;
}

function drawMoments(
  draw: Draw,
  kind: FaultName,
  kinds: number,
  from: number,
  to: number,
): number[] {
  const share = kinds > 2 ? MIXED_SHARE : 1;
  const mean = FAULT_KINDS[kind].perHour * share * ((to - from) / HOUR);
  if (mean === 0) return [];
  const count = Math.max(1, Math.round(mean * (0.5 + draw.random())));
  return Array.from({ length: count }, () => from + Math.floor(draw.random() * (to - from)));
}

function drawEpisodes(
  draw: Draw,
  kinds: ReadonlySet<FaultName>,
  from: number,
  to: number,
): Episode[] {
  const planned = FAULT_NAMES.filter((kind) => kinds.has(kind) && !DRAWN_ELSEWHERE.has(kind));
  return planned.flatMap((kind) => {
    const until = kind === 'clock-step' ? Math.min(to, to + SETTLE_MS - CLOCK_SETTLE_MS) : to;
    const [least, most] = FAULT_KINDS[kind].seconds;
    return drawMoments(draw, kind, kinds.size, from, until).map((at): Episode => {
      // Short ones are more frequent than long ones.
      const seconds = least + (most - least) * draw.random() ** 2;
      const durationMs = Math.min(Math.round(seconds * SECOND), to - at);
      return { kind, at, durationMs, force: draw.random() };
    });
  });
}

const DRAWN_ELSEWHERE: ReadonlySet<FaultName> = new Set(['outage', 'burst']);

/** Whole minutes: of a minute that is cut the exchange itself is not of one mind. */
function drawOutages(
  draw: Draw,
  kinds: ReadonlySet<FaultName>,
  from: number,
  to: number,
): [number, number][] {
  if (!kinds.has('outage')) return [];
  return drawMoments(draw, 'outage', kinds.size, from, to).flatMap((at): [number, number][] => {
    const begin = Math.ceil(at / MINUTE) * MINUTE;
    const end = Math.min(begin + draw.integer(1, 12) * MINUTE, Math.floor(to / MINUTE) * MINUTE);
    return end > begin ? [[begin, end]] : [];
  });
}

function outageEpisode([from, to]: readonly [number, number]): Episode {
  return { kind: 'outage', at: from, durationMs: to - from, force: 0 };
}

// Seeded trades and kline history that look like a market's: bursts, quiet minutes, several trades
// in one millisecond. No clock: times are given.
import { DAY, HOUR, type Interval, MINUTE } from './calendar.ts';
import { fromScaled } from './decimal.ts';
import { normal, type Random, seededRandom } from './random.ts';
import { emptySums, joinSums, type Sums, toCandle } from './sums.ts';
import type { AggTrade, TruthCandle } from './truth.ts';

export interface WalkOptions {
  readonly seed: number;
  /** Decimal strings. Defaults: 90,000 in ticks of 0.01, lots of 0.00001. */
  readonly price?: string;
  readonly tickSize?: string;
  readonly stepSize?: string;
  /** Default 1. */
  readonly firstAggTradeId?: number;
  /** Default 1,000,000,000: generated history ends just before it. */
  readonly firstTradeId?: number;
}

/** Makes a symbol's next trade, at a time (ms) that must not go back. */
export type TradeWalk = (time: number) => AggTrade;

const UNIT = 100_000_000;

const FIRST_TRADE_ID = 1_000_000_000;

/** Ticks moved by a trade, in standard deviations; enough to see, too little to run away. */
const STEP_TICKS = 3;

/** Largest number of single trades in an aggregate. */
const FILLS_MAX = 5;

export function tradeWalk(options: WalkOptions): TradeWalk {
  const random = seededRandom(options.seed);
  const tick = scaledNumber(options.tickSize ?? '0.01');
  const lot = scaledNumber(options.stepSize ?? '0.00001');
  let ticks = Math.max(1, Math.round(scaledNumber(options.price ?? '90000') / tick));
  let a = options.firstAggTradeId ?? 1;
  let f = options.firstTradeId ?? FIRST_TRADE_ID;

  return (time) => {
    ticks = Math.max(1, ticks + Math.round(normal(random) * STEP_TICKS));
    const lots = 1 + Math.floor(-Math.log(1 - random()) * 2_000);
    const fills = random() < 0.8 ? 1 : 1 + Math.floor(random() * FILLS_MAX);
    const trade = {
      a,
      p: fromScaled(BigInt(ticks) * BigInt(tick)),
      q: fromScaled(BigInt(lots) * BigInt(lot)),
      f,
      l: f + fills - 1,
      T: time,
      m: random() < 0.5,
    };
    a += 1;
    f += fills;
    return trade;
  };
}

export interface GenerateOptions extends WalkOptions {
  /** Ms, inclusive. */
  readonly from: number;
  /** Ms, exclusive. */
  readonly to: number;
  /** On average, over quiet and busy minutes. */
  readonly tradesPerSecond: number;
}

/** A symbol's trades in `[from, to)`, T not falling, ids contiguous. */
export function generateTrades(options: GenerateOptions): AggTrade[] {
  const walk = tradeWalk(options);
  const random = seededRandom(options.seed + 1);
  const trades: AggTrade[] = [];
  for (let minute = options.from; minute < options.to; minute += MINUTE) {
    const end = Math.min(minute + MINUTE, options.to);
    const count = minuteCount(random, (options.tradesPerSecond * (end - minute)) / 1_000);
    for (const time of minuteTimes(random, count, minute, end)) trades.push(walk(time));
  }
  return trades;
}

/** One minute in ten is quiet, one in ten busy; the mean stays. */
function minuteCount(random: Random, mean: number): number {
  const mood = random();
  if (mood < 0.1) return 0;
  return Math.round(mean * (mood < 0.2 ? 3 : 0.875) * (0.5 + random()));
}

/** Half of the trades come in bursts of one millisecond. */
function minuteTimes(random: Random, count: number, from: number, to: number): number[] {
  const times: number[] = [];
  while (times.length < count) {
    const time = from + Math.floor(random() * (to - from));
    const burst = random() < 0.1 ? 1 + Math.floor(random() * 10) : 1;
    for (let index = 0; index < burst && times.length < count; index += 1) times.push(time);
  }
  return times.sort((left, right) => left - right);
}

export interface HistoryOptions {
  readonly seed: number;
  /** Price at the end of the history, so that trades can go on from it. Default 90,000. */
  readonly price?: string;
  readonly tickSize?: string;
  readonly stepSize?: string;
  /** Ms; rounded down to a whole minute. The last candle ends here. */
  readonly to: number;
  readonly days: number;
  /** Days of 1m. Default: all. Hours and days always cover everything. */
  readonly minuteDays?: number;
}

/** Klines of 1m, 1h and 1d that agree with each other; the last hour and day may be still open and are left out. */
export function generateHistory(options: HistoryOptions): Partial<Record<Interval, TruthCandle[]>> {
  const random = seededRandom(options.seed);
  const to = Math.floor(options.to / MINUTE) * MINUTE;
  const from = Math.floor((to - options.days * DAY) / DAY) * DAY;
  const minutes = generateMinutes(random, options, from, to);
  const minutesFrom = to - (options.minuteDays ?? options.days + 1) * DAY;
  const hours = grouped(minutes, HOUR, to);
  return {
    '1m': minutes
      .filter(([openTime]) => openTime >= Math.floor(minutesFrom / DAY) * DAY)
      .map(([openTime, sums]) => toCandle(sums, openTime, openTime + MINUTE)),
    '1h': hours.map(([time, sums]) => toCandle(sums, time, time + HOUR)),
    '1d': grouped(hours, DAY, to).map(([time, sums]) => toCandle(sums, time, time + DAY)),
  };
}

function generateMinutes(
  random: Random,
  options: HistoryOptions,
  from: number,
  to: number,
): [number, Sums][] {
  const tick = scaledNumber(options.tickSize ?? '0.01');
  const lot = scaledNumber(options.stepSize ?? '0.00001');
  let ticks = Math.max(1, Math.round(scaledNumber(options.price ?? '90000') / tick));
  let lastTradeId = FIRST_TRADE_ID - 1;
  const minutes: [number, Sums][] = [];
  // From the end back, so that the history leads to the given price.
  for (let openTime = to - MINUTE; openTime >= from; openTime -= MINUTE) {
    const before = Math.max(1, ticks + Math.round(normal(random) * ticks * 0.0004));
    const sums = minuteSums(random, before, ticks, tick, lot);
    const firstTradeId = lastTradeId - sums.trades + 1;
    minutes.push([openTime, { ...sums, firstTradeId, lastTradeId }]);
    lastTradeId = firstTradeId - 1;
    ticks = before;
  }
  return minutes.reverse();
}

function minuteSums(random: Random, open: number, close: number, tick: number, lot: number): Sums {
  const price = (ticks: number) => BigInt(Math.max(1, ticks)) * BigInt(tick);
  const reach = Math.ceil(open * 0.0003 * random());
  const volume = BigInt(1 + Math.floor(random() * 500_000)) * BigInt(lot);
  const taker = (volume * BigInt(Math.floor(random() * 1_000))) / 1_000n;
  const quote = (base: bigint) => (base * price(Math.round((open + close) / 2))) / BigInt(UNIT);
  return {
    ...emptySums(price(open)),
    high: price(Math.max(open, close) + reach),
    low: price(Math.min(open, close) - reach),
    close: price(close),
    volume,
    quoteVolume: quote(volume),
    takerBuyVolume: taker,
    takerBuyQuoteVolume: quote(taker),
    trades: 1 + Math.floor(random() * 500),
  };
}

/** Closed groups only. */
function grouped(
  parts: readonly (readonly [number, Sums])[],
  length: number,
  to: number,
): [number, Sums][] {
  const groups = Map.groupBy(parts, ([time]) => Math.floor(time / length) * length);
  return [...groups].flatMap(([time, members]): [number, Sums][] => {
    const sums = joinSums(members.map(([, part]) => part));
    return sums && time + length <= to ? [[time, sums]] : [];
  });
}

function scaledNumber(text: string): number {
  return Math.round(Number(text) * UNIT);
}

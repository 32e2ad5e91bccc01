// The simulated log price at every minute of a day: Brownian motion in a time that itself runs in bursts. Any day is found without the days before it.
//
// A span of time holds a mass of variance. It is halved, the mass shared out unevenly by chance, and
// the price in the middle drawn from the bridge between the ends; then each half likewise, from 128
// days down to a minute. Returns are uncorrelated, their size clusters on every scale, tails are
// heavy: what real markets show.
// @see Mandelbrot, Fisher and Calvet, "A Multifractal Model of Asset Returns", 1997
import { hashOf, RandomStream } from './random.ts';

export const DAY_MINUTES = 1_440;

export interface PathTraits {
  readonly key: number;
  readonly basePrice: number;
  readonly dailyVolatility: number;
}

export interface DayPath {
  /** At the start of each minute, and at the day's end: 1,441. */
  readonly logPrice: Float64Array;
  /** Of each minute's return: 1,440. */
  readonly variance: Float64Array;
}

/** Days between two independent price levels: the price wanders, but stays around its base for ever. */
const BLOCK_DAYS = 128;
/** How unevenly a span's variance is shared between its halves: deviation of the log odds. */
const DAYS_UNEVENNESS = 0.45;
const MINUTES_UNEVENNESS = 0.6;
const WEEKEND_LIVELINESS = 0.55;

const ANCHORS = 0x51ed270b;
const DAYS = 0x2c9277b5;
const MINUTES = 0x5f356495;

interface Span {
  readonly from: number;
  readonly to: number;
  readonly variance: number;
}

/** `day`: days since 1970. Pure: equal arguments, equal path; a day ends exactly where the next starts. */
export function dayPath(traits: PathTraits, day: number): DayPath {
  const span = daySpan(traits, day);
  const path: DayPath = {
    logPrice: new Float64Array(DAY_MINUTES + 1),
    variance: new Float64Array(DAY_MINUTES),
  };
  path.logPrice[DAY_MINUTES] = span.to;
  fillMinutes(path, new RandomStream(0), hashOf(traits.key ^ MINUTES, day, 0), span);
  return path;
}

function daySpan(traits: PathTraits, day: number): Span {
  const block = Math.floor(day / BLOCK_DAYS);
  const random = new RandomStream(0);
  let first = block * BLOCK_DAYS;
  let end = first + BLOCK_DAYS;
  let span: Span = {
    from: anchor(traits, block),
    to: anchor(traits, block + 1),
    variance: BLOCK_DAYS * traits.dailyVolatility ** 2,
  };
  let node = 1;
  while (end - first > 1) {
    const middle = (first + end) / 2;
    const left = daysLiveliness(first, middle);
    const expected = left / (left + daysLiveliness(middle, end));
    random.restart(hashOf(traits.key ^ DAYS, block, node));
    const [before, after] = halves(span, expected, DAYS_UNEVENNESS, random);
    const isBefore = day < middle;
    span = isBefore ? before : after;
    if (isBefore) end = middle;
    else first = middle;
    node = 2 * node + (isBefore ? 0 : 1);
  }
  return span;
}

/** A little narrower than the days between two of them would make it: the price comes back to its base. */
function anchor(traits: PathTraits, block: number): number {
  const deviation = 0.45 * traits.dailyVolatility * Math.sqrt(BLOCK_DAYS);
  const random = new RandomStream(hashOf(traits.key ^ ANCHORS, block, 0));
  return Math.log(traits.basePrice) + deviation * random.normal();
}

/** Splits until a minute is left; on a stack of its own, from late to early. */
function fillMinutes(path: DayPath, random: RandomStream, key: number, day: Span): void {
  const open: { first: number; end: number; node: number; span: Span }[] = [
    { first: 0, end: DAY_MINUTES, node: 1, span: day },
  ];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const { first, end, node, span } = part;
    if (end - first === 1) {
      path.logPrice[first] = span.from;
      path.variance[first] = span.variance;
      continue;
    }
    const middle = (first + end) >> 1;
    random.restart(hashOf(key, node, 0));
    const [before, after] = halves(
      span,
      minutesLiveliness(first, middle) / minutesLiveliness(first, end),
      MINUTES_UNEVENNESS,
      random,
    );
    open.push({ first, end: middle, node: 2 * node, span: before });
    open.push({ first: middle, end, node: 2 * node + 1, span: after });
  }
}

function halves(
  span: Span,
  expectedShare: number,
  unevenness: number,
  random: RandomStream,
): readonly [Span, Span] {
  const odds = (expectedShare / (1 - expectedShare)) * Math.exp(unevenness * random.normal());
  const share = odds / (1 + odds);
  const left = span.variance * share;
  const right = span.variance - left;
  const bridge = Math.sqrt(left * (1 - share)) * random.normal();
  const middle = span.from + (span.to - span.from) * share + bridge;
  return [
    { from: span.from, to: middle, variance: left },
    { from: middle, to: span.to, variance: right },
  ];
}

/** 1970-01-01 was a Thursday. */
function daysLiveliness(first: number, end: number): number {
  let sum = 0;
  for (let day = first; day < end; day += 1) {
    const weekday = (day + 4) % 7;
    sum += weekday === 0 || weekday === 6 ? WEEKEND_LIVELINESS : 1;
  }
  return sum;
}

/** Summed liveliness of the minutes before each: high when Europe and America trade, low at 04:00 UTC. */
const RHYTHM = rhythm();

function rhythm(): Float64Array {
  const sums = new Float64Array(DAY_MINUTES + 1);
  for (let minute = 0; minute < DAY_MINUTES; minute += 1) {
    const turn = (2 * Math.PI * (minute - 15 * 60)) / DAY_MINUTES;
    const onTheHour = minute % 60 < 3 ? 1.35 : 1;
    const liveliness = (1 + 0.5 * Math.cos(turn) + 0.15 * Math.cos(2 * turn)) * onTheHour;
    sums[minute + 1] = (sums[minute] ?? 0) + liveliness;
  }
  return sums;
}

function minutesLiveliness(first: number, end: number): number {
  return (RHYTHM[end] ?? 0) - (RHYTHM[first] ?? 0);
}

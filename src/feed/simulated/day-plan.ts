// A symbol's day in outline: the price at each minute, how far it moves within, and which aggregate trade ids fall into it. Trades are not made here.
import { DAY_MS } from '../../core/market/time.ts';
import type { Listing } from './listing.ts';
import { DAY_MINUTES, dayPath } from './price-path.ts';
import { hashOf, RandomStream, unitOf } from './random.ts';

export interface DayPlan {
  /** Days since 1970. */
  readonly day: number;
  /** In ticks (least price steps), not rounded; at the start of each minute and at the day's end: 1,441. */
  readonly price: Float64Array;
  /** Deviation of the minute's price move, in ticks: 1,440. */
  readonly deviation: Float64Array;
  /** That deviation beside an average minute's: 1 is usual. 1,440. */
  readonly liveliness: Float64Array;
  /** Id of the first aggregate trade at or after the minute's start, and after the day: 1,441. */
  readonly nextAggTradeId: Float64Array;
}

const COUNTS = 0x3c6ef372;
const WEIGHTS = 0x1b873593;
/** A minute has at most this many times the trades of an average one (before its day is scaled). */
const WEIGHT_MAX = 30;
/** A day has up to this share of the mean more or fewer trades. */
const DAY_TOTAL_SPREAD = 0.5;

/** Pure. A day's ids start where those of the day before ended, found without looking at that day. */
export function dayPlan(listing: Listing, day: number): DayPlan {
  const path = dayPath(listing, day);
  const ticksPerUnit = 10 ** listing.pricePlaces;
  const price = path.logPrice.map((log) => Math.max(2, Math.exp(log) * ticksPerUnit));
  const usual = listing.dailyVolatility / Math.sqrt(DAY_MINUTES);
  const liveliness = path.variance.map((variance) => Math.sqrt(variance) / usual);
  const deviation = liveliness.map((times, minute) => times * usual * (price[minute] ?? 0));
  return {
    day,
    price,
    deviation,
    liveliness,
    nextAggTradeId: minuteIds(listing, day, { price, deviation, liveliness }),
  };
}

/** Id of the first aggregate trade of `day`: a closed form, so that any day can be asked for. */
export function firstAggTradeIdOf(listing: Listing, day: number): number {
  const daysListed = day - listing.listedOn / DAY_MS;
  if (daysListed <= 0) return 0;
  const spread = DAY_TOTAL_SPREAD * unitOf(hashOf(listing.key ^ COUNTS, day, 0));
  return Math.floor(86_400 * listing.tradesPerSecond * (daysListed + spread));
}

/** Shares the day's trades out: lively minutes get more, and those that move the price further than usual. Rounded sums, so that every id falls into one minute. */
function minuteIds(
  listing: Listing,
  day: number,
  { price, deviation, liveliness }: Omit<DayPlan, 'day' | 'nextAggTradeId'>,
): Float64Array {
  const random = new RandomStream(hashOf(listing.key ^ WEIGHTS, day, 0));
  const sums = new Float64Array(DAY_MINUTES + 1);
  for (let minute = 0; minute < DAY_MINUTES; minute += 1) {
    const chance = Math.exp(0.4 * random.normal());
    const move = Math.abs((price[minute + 1] ?? 0) - (price[minute] ?? 0));
    const surprise = 0.6 + 0.5 * Math.min(4, move / (deviation[minute] ?? 1));
    const weight = Math.min(WEIGHT_MAX, (liveliness[minute] ?? 0) * surprise * chance);
    sums[minute + 1] = (sums[minute] ?? 0) + weight;
  }
  const first = firstAggTradeIdOf(listing, day);
  const scale = (firstAggTradeIdOf(listing, day + 1) - first) / (sums[DAY_MINUTES] ?? 1);
  return sums.map((sum) => first + Math.round(sum * scale));
}

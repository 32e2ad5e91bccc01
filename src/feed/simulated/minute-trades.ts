// The trades of one simulated minute, in id order: they fill its steps, lot for lot, so that they fold to its candle.
import type { AggTrade } from '../../core/market/agg-trade.ts';
import { DECIMAL_PLACES } from '../../core/market/decimal.ts';
import { addMs, type EpochMs, MINUTE_MS } from '../../core/market/time.ts';
import type { DayPlan } from './day-plan.ts';
import type { Listing } from './listing.ts';
import { firstTradeIdOf, highestOf, lowestOf } from './lot-candle.ts';
import { fillMinuteSteps, type MinuteSteps, minuteSteps } from './minute-steps.ts';
import { hashOf, RandomStream } from './random.ts';

/** A trade in ticks and lots, before it is written as the exchange would. */
export interface LotTrade {
  readonly aggTradeId: number;
  readonly price: number;
  readonly lots: number;
  readonly isBuy: boolean;
  readonly tradeTime: EpochMs;
}

const TRADES = 0x7feb352d;
/** Share of trades in the same millisecond as the one before: one large order takes many others. */
const SAME_TIME_SHARE = 0.3;
/** How far a price strays from its step's, in deviations of the minute's move. */
const STRAY_SHARE = 0.2;
/** Share of steps that last no time at all: an order so large that it moves the price at once. */
const SUDDEN_SHARE = 0.15;

/** Made one by one as they are asked for: a minute may have a million. Pure: the same minute, the same trades. */
export function* minuteTrades(
  listing: Listing,
  plan: DayPlan,
  minute: number,
  openTime: EpochMs,
): Generator<LotTrade, void, undefined> {
  const steps = minuteSteps();
  fillMinuteSteps(steps, listing, plan, minute);
  if (steps.count === 0) return;
  const random = new RandomStream(hashOf(listing.key ^ TRADES, plan.day, minute));
  const reach = reachOf(steps, plan.deviation[minute] ?? 0);
  let aggTradeId = plan.nextAggTradeId[minute] ?? 0;
  const trades = (plan.nextAggTradeId[minute + 1] ?? 0) - aggTradeId;
  const ends = stepEnds(steps, trades, random);
  let start = 0;
  for (let step = 0; step < steps.count; step += 1) {
    const end = ends[step] ?? 0;
    yield* stepTrades(steps, step, random, reach, aggTradeId, addMs(openTime, start), end - start);
    aggTradeId += (steps.buys[step] ?? 0) + (steps.sells[step] ?? 0);
    start = end;
  }
}

/**
 * When each step ends, in ms of the minute. The first and the last, of one trade each, are as short as
 * the time between two trades, and next to them nothing is sudden: no minute begins or ends in
 * silence or in a burst because it is a minute.
 */
function stepEnds(steps: MinuteSteps, trades: number, random: RandomStream): number[] {
  const last = steps.count - 1;
  const usualTrades = trades / steps.count;
  const sums: number[] = [];
  let sum = random.exponential() / usualTrades;
  for (let step = 0; step <= last; step += 1) {
    const chance = random.exponential();
    const isSudden = step > 1 && step < last - 1 && random.unit() < SUDDEN_SHARE;
    const tradesHere = (steps.buys[step] ?? 0) + (steps.sells[step] ?? 0);
    const busyness = tradesHere / usualTrades;
    if (step === 0 || step === last) sum += chance / usualTrades;
    else if (!isSudden) sum += (0.25 + 0.75 * chance) * (0.3 + 0.7 * busyness);
    sums.push(sum);
  }
  const scale = (MINUTE_MS - 1) / (sum + random.exponential() / usualTrades);
  return sums.map((end) => Math.floor(end * scale));
}

/** How far prices may stray from a step's: never beyond the minute's low and high, which are the candle's. */
interface Reach {
  readonly low: number;
  readonly high: number;
  readonly most: number;
}

function reachOf(steps: MinuteSteps, deviation: number): Reach {
  let low = Number.MAX_SAFE_INTEGER;
  let high = 0;
  for (let step = 0; step < steps.count; step += 1) {
    low = Math.min(low, lowestOf(steps, step));
    high = Math.max(high, highestOf(steps, step));
  }
  return { low, high, most: Math.floor(deviation * STRAY_SHARE) };
}

function* stepTrades(
  steps: MinuteSteps,
  step: number,
  random: RandomStream,
  reach: Reach,
  firstId: number,
  start: EpochMs,
  duration: number,
): Generator<LotTrade, void, undefined> {
  const buy = takerSide(steps.ask[step], steps.buys[step], steps.buyLots[step], reach);
  const sell = takerSide(steps.bid[step], steps.sells[step], steps.sellLots[step], reach);
  const count = buy.trades + sell.trades;
  let passed = 0;
  let stray = 0;
  for (let index = 0; index < count; index += 1) {
    const left = count - index;
    const isSameTime = index > 0 && random.unit() < SAME_TIME_SHARE;
    // The least of `left` uniform times in what is left of the step: sorted without sorting.
    const share = isSameTime ? 0 : 1 - (1 - random.unit()) ** (1 / left);
    passed += (duration - passed) * share;
    stray += 0.4 * random.roughNormal();
    const isBuy = random.unit() * left < buy.trades;
    const { price, lots } = nextTrade(isBuy ? buy : sell, random, stray);
    const tradeTime = addMs(start, Math.floor(passed));
    yield { aggTradeId: firstId + index, price, lots, isBuy, tradeTime };
  }
}

interface PricedLots {
  readonly price: number;
  readonly lots: number;
}

/** What is left of one side's trades in a step. */
interface TakerSide {
  readonly price: number;
  readonly strayMax: number;
  trades: number;
  /** Without those of `partners`. */
  lots: number;
  /** Trades still to come, first in first out. */
  readonly partners: PricedLots[];
  partnersDone: number;
}

function takerSide(price = 0, trades = 0, lots = 0, { low, high, most }: Reach): TakerSide {
  const strayMax = Math.max(0, Math.min(most, high - price, price - low));
  return { price, strayMax, trades, lots, partners: [], partnersDone: 0 };
}

/**
 * A trade off the step's price has a partner of as many lots as far off on the other side: together
 * they are worth what they would be at the step's price, so the candle's quote value stays exact.
 */
function nextTrade(side: TakerSide, random: RandomStream, stray: number): PricedLots {
  const free = side.trades - (side.partners.length - side.partnersDone);
  side.trades -= 1;
  const partner = free === 0 ? side.partners[side.partnersDone] : undefined;
  if (partner !== undefined) {
    side.partnersDone += 1;
    return partner;
  }
  const offset = Math.round(Math.max(-1, Math.min(1, stray)) * side.strayMax);
  // Of the last two, neither strays: they take what lots are left, odd or even.
  if (free < 3 || offset === 0) {
    const lots = takeLots(random, free, side.lots);
    side.lots -= lots;
    return { price: side.price, lots };
  }
  const lots = takeLots(random, free, side.lots / 2 + free / 2);
  side.lots -= 2 * lots;
  side.partners.push({ price: side.price - offset, lots });
  return { price: side.price + offset, lots };
}

/** The next trade's part of what `trades` trades share: at least 1, the last takes the rest. Mostly small, seldom very large. */
function takeLots(random: RandomStream, trades: number, lots: number): number {
  if (trades === 1) return lots;
  const spare = lots - trades;
  const share = random.exponential() ** 2 / (2 * trades);
  return 1 + Math.floor(spare * Math.min(0.9, share));
}

export function aggTradeOf(listing: Listing, trade: LotTrade): AggTrade {
  const ticks = 10 ** listing.pricePlaces;
  const lots = 10 ** listing.quantityPlaces;
  return {
    symbol: listing.symbol,
    aggTradeId: trade.aggTradeId,
    priceInteger: Math.floor(trade.price / ticks),
    priceFraction: (trade.price % ticks) * 10 ** (DECIMAL_PLACES - listing.pricePlaces),
    quantityInteger: Math.floor(trade.lots / lots),
    quantityFraction: (trade.lots % lots) * 10 ** (DECIMAL_PLACES - listing.quantityPlaces),
    firstTradeId: firstTradeIdOf(listing, trade.aggTradeId),
    lastTradeId: firstTradeIdOf(listing, trade.aggTradeId + 1) - 1,
    tradeTime: trade.tradeTime,
    eventTime: trade.tradeTime,
    buyerIsMaker: !trade.isBuy,
  };
}

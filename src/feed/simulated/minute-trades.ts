// The trades of one simulated minute, in id order: they fill its steps, lot for lot, so that they fold to its candle.
import type { AggTrade } from '../../core/market/agg-trade.ts';
import { DECIMAL_PLACES } from '../../core/market/decimal.ts';
import { addMs, type EpochMs, MINUTE_MS } from '../../core/market/time.ts';
import type { DayPlan } from './day-plan.ts';
import type { Listing } from './listing.ts';
import { firstTradeIdOf } from './lot-candle.ts';
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
  let aggTradeId = plan.nextAggTradeId[minute] ?? 0;
  const trades = (plan.nextAggTradeId[minute + 1] ?? 0) - aggTradeId;
  const ends = stepEnds(steps, trades, random);
  let start = 0;
  for (let step = 0; step < steps.count; step += 1) {
    const end = ends[step] ?? 0;
    yield* stepTrades(steps, step, random, aggTradeId, addMs(openTime, start), end - start);
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

function* stepTrades(
  steps: MinuteSteps,
  step: number,
  random: RandomStream,
  firstId: number,
  start: EpochMs,
  duration: number,
): Generator<LotTrade, void, undefined> {
  const sides = {
    buy: { trades: steps.buys[step] ?? 0, lots: steps.buyLots[step] ?? 0 },
    sell: { trades: steps.sells[step] ?? 0, lots: steps.sellLots[step] ?? 0 },
  };
  const count = sides.buy.trades + sides.sell.trades;
  let passed = 0;
  for (let index = 0; index < count; index += 1) {
    const left = count - index;
    const isSameTime = index > 0 && random.unit() < SAME_TIME_SHARE;
    // The least of `left` uniform times in what is left of the step: sorted without sorting.
    const share = isSameTime ? 0 : 1 - (1 - random.unit()) ** (1 / left);
    passed += (duration - passed) * share;
    const isBuy = random.unit() * left < sides.buy.trades;
    const side = isBuy ? sides.buy : sides.sell;
    const lots = takeLots(random, side.trades, side.lots);
    side.trades -= 1;
    side.lots -= lots;
    yield {
      aggTradeId: firstId + index,
      price: (isBuy ? steps.ask[step] : steps.bid[step]) ?? 0,
      lots,
      isBuy,
      tradeTime: addMs(start, Math.floor(passed)),
    };
  }
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

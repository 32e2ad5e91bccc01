// One simulated minute in a few steps: in each, bid and ask stand still while takers buy and sell. A candle is summed from the steps alone; trades fill them in.
//
// That is why a month of history costs no trades, and yet every trade folds to exactly these candles:
// within a step each buy is worth the ask and each sell the bid (or strays from it together with a
// partner as far on the other side), so the step's quote value is exact however its lots are spread.
import type { DayPlan } from './day-plan.ts';
import type { Listing } from './listing.ts';
import { exponentialOf, factorOf, hashOf, RandomStream } from './random.ts';

export const MINUTE_STEPS_MAX = 8;

/** Room for one minute's steps, used again for the next minute. Prices in ticks, quantities in lots. */
export interface MinuteSteps {
  /** 0: nobody traded. */
  count: number;
  readonly bid: Float64Array;
  readonly ask: Float64Array;
  /** Aggregate trades by taker side; at least one together. */
  readonly buys: Float64Array;
  readonly sells: Float64Array;
  /** At least as many as trades of that side. */
  readonly buyLots: Float64Array;
  readonly sellLots: Float64Array;
}

const STEPS = 0x68e31da4;
/** Trades a step between the first and the last has at least, on average. */
const TRADES_PER_STEP = 3;
/** Of a step and side, in ticks × lots: a whole minute stays exact in a double. */
const QUOTE_PER_SIDE_MAX = 2 ** 46;

export function minuteSteps(): MinuteSteps {
  const room = (): Float64Array => new Float64Array(MINUTE_STEPS_MAX);
  return {
    count: 0,
    bid: room(),
    ask: room(),
    buys: room(),
    sells: room(),
    buyLots: room(),
    sellLots: room(),
  };
}

/**
 * Fills `steps` with a minute (0 to 1,439) of the day. Pure but for `steps`, which it owns meanwhile.
 * The hot loop of history: one pass, chance in whole words of which each draw takes its bits.
 */
export function fillMinuteSteps(
  steps: MinuteSteps,
  listing: Listing,
  plan: DayPlan,
  minute: number,
): void {
  let tradesLeft = (plan.nextAggTradeId[minute + 1] ?? 0) - (plan.nextAggTradeId[minute] ?? 0);
  const count = stepCount(tradesLeft);
  steps.count = count;
  if (count === 0) return;
  const random = new RandomStream(hashOf(listing.key ^ STEPS, plan.day, minute));
  const from = plan.price[minute] ?? 0;
  const to = plan.price[minute + 1] ?? 0;
  const deviation = plan.deviation[minute] ?? 0;
  const liveliness = plan.liveliness[minute] ?? 1;
  const buyers = 0.5 + 0.2 * Math.tanh((to - from) / deviation) + 0.05 * random.roughNormal();
  const size = Math.min(3, 0.7 + 0.3 * liveliness) * Math.exp(0.35 * random.roughNormal());
  const lotsOverOne = listing.lotsPerTrade * size - 1;
  const lotsMax = Math.floor(QUOTE_PER_SIDE_MAX / from);
  const widest = from * 0.00001 + deviation * 0.06;
  let middle = from;
  let timeLeft = 1;
  for (let step = 0; step < count; step += 1) {
    // The price: a bridge from this minute's to the next one's, seen in the middle of each step.
    const passed = (step === 0 ? 0.5 : 1) / count;
    const share = passed / timeLeft;
    const noise = deviation * Math.sqrt(passed * (1 - share)) * random.roughNormal();
    middle += (to - middle) * share + noise;
    timeLeft -= passed;
    const narrowness = random.unit() ** 2;
    const spread = 1 + Math.floor(widest * narrowness * narrowness);
    const bid = Math.max(1, Math.round(middle - spread / 2));
    steps.bid[step] = bid;
    steps.ask[step] = bid + spread;

    const bits = random.bits();
    const trades = tradesOfStep(step, count, tradesLeft, exponentialOf(bits));
    tradesLeft -= trades;
    const bought = Math.round(
      trades * Math.min(1, Math.max(0, buyers + 0.35 * random.roughNormal())),
    );
    const sold = trades - bought;
    steps.buys[step] = bought;
    steps.sells[step] = sold;
    const buyLots = Math.floor(bought * lotsOverOne * factorOf(bits >>> 10));
    const sellLots = Math.floor(sold * lotsOverOne * factorOf(bits >>> 20));
    steps.buyLots[step] = bought + Math.min(buyLots, lotsMax);
    steps.sellLots[step] = sold + Math.min(sellLots, lotsMax);
  }
}

/** The first and the last step are one trade each, so that open and close are theirs. */
function stepCount(trades: number): number {
  if (trades <= 2) return trades;
  return Math.min(MINUTE_STEPS_MAX, 2 + Math.ceil((trades - 2) / TRADES_PER_STEP));
}

/** Of the trades left: each step gets at least one, the last but one what remains. `chance` has mean 1. */
function tradesOfStep(step: number, count: number, left: number, chance: number): number {
  const interiorLeft = count - 1 - step;
  if (step === 0 || interiorLeft === 0) return 1;
  if (interiorLeft === 1) return left - 1;
  const spare = left - 1 - interiorLeft;
  return 1 + Math.floor(spare * Math.min(0.8, chance / interiorLeft));
}

// A candle in the market's own whole numbers, ticks and lots: sums stay exact in doubles and cost no BigInt until one is shown.
import type { Candle } from '../../core/market/candle.ts';
import { DECIMAL_PLACES, type Decimal } from '../../core/market/decimal.ts';
import { closeTimeOf, type Interval } from '../../core/market/interval.ts';
import type { EpochMs } from '../../core/market/time.ts';
import type { DayPlan } from './day-plan.ts';
import type { Listing } from './listing.ts';
import { fillMinuteSteps, type MinuteSteps } from './minute-steps.ts';
import { hashOf, unitOf } from './random.ts';

/** Prices in ticks, volumes in lots, quote values in ticks × lots. No trade: ids are equal, prices the last close. */
export interface LotCandle {
  openTime: EpochMs;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  takerBuyVolume: number;
  /** Below `QUOTE_CARRY`; what went beyond is in `quoteCarried`. */
  quote: number;
  takerBuyQuote: number;
  quoteCarried: bigint;
  takerBuyQuoteCarried: bigint;
  /** Id of the first aggregate trade in it, and of the first after it. */
  firstAggTradeId: number;
  nextAggTradeId: number;
}

/** A month of BTCUSDT's quote volume is no double: beyond this, the sum moves to a BigInt. */
const QUOTE_CARRY = 2 ** 51;

export function emptyLotCandle(
  openTime: EpochMs,
  price: number,
  nextAggTradeId: number,
): LotCandle {
  return {
    openTime,
    open: price,
    high: price,
    low: price,
    close: price,
    volume: 0,
    takerBuyVolume: 0,
    quote: 0,
    takerBuyQuote: 0,
    quoteCarried: 0n,
    takerBuyQuoteCarried: 0n,
    firstAggTradeId: nextAggTradeId,
    nextAggTradeId,
  };
}

/** Adds a trade, or several of one price and side. `aggTrades` of them, next in id order. */
export function addLots(
  candle: LotCandle,
  price: number,
  lots: number,
  isBuy: boolean,
  aggTrades: number,
): void {
  if (aggTrades === 0) return;
  if (candle.nextAggTradeId === candle.firstAggTradeId) {
    candle.open = price;
    candle.high = price;
    candle.low = price;
  }
  if (price > candle.high) candle.high = price;
  if (price < candle.low) candle.low = price;
  candle.close = price;
  candle.volume += lots;
  candle.quote += price * lots;
  if (isBuy) {
    candle.takerBuyVolume += lots;
    candle.takerBuyQuote += price * lots;
  }
  candle.nextAggTradeId += aggTrades;
  carry(candle);
}

/** Appends a later candle. One without trades adds nothing: its prices are none of its own. */
export function appendLotCandle(candle: LotCandle, later: LotCandle): void {
  if (later.nextAggTradeId === later.firstAggTradeId) return;
  if (candle.nextAggTradeId === candle.firstAggTradeId) {
    candle.open = later.open;
    candle.high = later.high;
    candle.low = later.low;
  }
  if (later.high > candle.high) candle.high = later.high;
  if (later.low < candle.low) candle.low = later.low;
  candle.close = later.close;
  candle.volume += later.volume;
  candle.takerBuyVolume += later.takerBuyVolume;
  candle.quote += later.quote;
  candle.takerBuyQuote += later.takerBuyQuote;
  if (later.quoteCarried > 0n) {
    candle.quoteCarried += later.quoteCarried;
    candle.takerBuyQuoteCarried += later.takerBuyQuoteCarried;
  }
  candle.nextAggTradeId = later.nextAggTradeId;
  carry(candle);
}

function carry(candle: LotCandle): void {
  if (candle.quote < QUOTE_CARRY) return;
  candle.quoteCarried += BigInt(candle.quote);
  candle.takerBuyQuoteCarried += BigInt(candle.takerBuyQuote);
  candle.quote = 0;
  candle.takerBuyQuote = 0;
}

/** The candle of a minute, from its steps: no trade is made. The hot loop of history: sums are kept in variables. */
export function minuteLotCandle(
  steps: MinuteSteps,
  listing: Listing,
  plan: DayPlan,
  minute: number,
  openTime: EpochMs,
  previousClose: number,
): LotCandle {
  fillMinuteSteps(steps, listing, plan, minute);
  const firstAggTradeId = at(plan.nextAggTradeId, minute);
  if (steps.count === 0) return emptyLotCandle(openTime, previousClose, firstAggTradeId);
  let high = 0;
  let low = Number.MAX_SAFE_INTEGER;
  let bought = 0;
  let sold = 0;
  let boughtQuote = 0;
  let soldQuote = 0;
  for (let step = 0; step < steps.count; step += 1) {
    high = Math.max(high, highestOf(steps, step));
    low = Math.min(low, lowestOf(steps, step));
    bought += at(steps.buyLots, step);
    sold += at(steps.sellLots, step);
    boughtQuote += at(steps.buyLots, step) * at(steps.ask, step);
    soldQuote += at(steps.sellLots, step) * at(steps.bid, step);
  }
  // Same fields in the same order as an empty one: one shape for the engine.
  return {
    openTime,
    // The first and the last step are one trade each: its price is highest and lowest.
    open: highestOf(steps, 0),
    high,
    low,
    close: highestOf(steps, steps.count - 1),
    volume: bought + sold,
    takerBuyVolume: bought,
    quote: boughtQuote + soldQuote,
    takerBuyQuote: boughtQuote,
    quoteCarried: 0n,
    takerBuyQuoteCarried: 0n,
    firstAggTradeId,
    nextAggTradeId: at(plan.nextAggTradeId, minute + 1),
  };
}

/** Highest price traded in a step. */
export function highestOf(steps: MinuteSteps, step: number): number {
  return at(at(steps.buys, step) > 0 ? steps.ask : steps.bid, step);
}

/** Lowest price traded in a step. */
export function lowestOf(steps: MinuteSteps, step: number): number {
  return at(at(steps.sells, step) > 0 ? steps.bid : steps.ask, step);
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? 0;
}

/** Single trades an aggregate trade has on average. */
const TRADES_PER_AGG_TRADE = 3;

/** Id of the first single trade of an aggregate trade: a closed form with 1 to 5 single trades each. */
export function firstTradeIdOf(listing: Listing, aggTradeId: number): number {
  const shift = Math.floor(TRADES_PER_AGG_TRADE * unitOf(hashOf(listing.key, aggTradeId, 1)));
  return TRADES_PER_AGG_TRADE * aggTradeId + shift;
}

/** As the exchange would give it: closed, a kline, exact decimals. */
export function klineOf(listing: Listing, interval: Interval, candle: LotCandle): Candle {
  const tick = unitOfPlaces(listing.pricePlaces);
  const lot = unitOfPlaces(listing.quantityPlaces);
  const quoteUnit = unitOfPlaces(listing.pricePlaces + listing.quantityPlaces);
  const isTraded = candle.nextAggTradeId > candle.firstAggTradeId;
  const firstTradeId = firstTradeIdOf(listing, candle.firstAggTradeId);
  const nextTradeId = isTraded ? firstTradeIdOf(listing, candle.nextAggTradeId) : firstTradeId;
  return {
    symbol: listing.symbol,
    interval,
    openTime: candle.openTime,
    closeTime: closeTimeOf(interval, candle.openTime),
    open: BigInt(candle.open) * tick,
    high: BigInt(candle.high) * tick,
    low: BigInt(candle.low) * tick,
    close: BigInt(candle.close) * tick,
    volume: BigInt(candle.volume) * lot,
    quoteVolume: (candle.quoteCarried + BigInt(candle.quote)) * quoteUnit,
    trades: nextTradeId - firstTradeId,
    takerBuyVolume: BigInt(candle.takerBuyVolume) * lot,
    takerBuyQuoteVolume: (candle.takerBuyQuoteCarried + BigInt(candle.takerBuyQuote)) * quoteUnit,
    firstTradeId: isTraded ? firstTradeId : -1,
    lastTradeId: isTraded ? nextTradeId - 1 : -1,
    revision: 0,
    complete: true,
    source: 'klines',
  };
}

/** The least step of a value with so many decimal places, as a `Decimal`. */
function unitOfPlaces(places: number): Decimal {
  return UNITS[places] ?? 1n;
}

const UNITS: readonly Decimal[] = Array.from(
  { length: DECIMAL_PLACES + 1 },
  (_, places) => 10n ** BigInt(DECIMAL_PLACES - places),
);

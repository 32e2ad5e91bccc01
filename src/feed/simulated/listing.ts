// What the simulated exchange lists: each symbol's price level, tick, lot and liveliness. Known names get realistic ones, any other name its own by hash.
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { DAY_MS, type EpochMs } from '../../core/market/time.ts';
import { hashOf, keyOf, unitOf } from './random.ts';

export interface Listing {
  readonly symbol: MarketSymbol;
  /** Of this symbol in the market of this seed: all its chances come from here. */
  readonly key: number;
  /** Quote per base; the price wanders around it. */
  readonly basePrice: number;
  /**
   * Decimal places of a price and of a quantity. Together at most 8, so that price × quantity is
   * exact and the exchange's truncation of each trade's quote value never bites.
   */
  readonly pricePlaces: number;
  readonly quantityPlaces: number;
  /** Mean of aggregate trades. */
  readonly tradesPerSecond: number;
  /** Deviation of a day's log return. */
  readonly dailyVolatility: number;
  /** Mean quantity of an aggregate trade, in lots (least quantities). */
  readonly lotsPerTrade: number;
  /** First day of trading; the 3d candles' grid starts here. */
  readonly listedOn: EpochMs;
}

/** Limits of the mean rate: below, a day might see no trade; above, a minute's trades are more than a test can want. */
export const TRADES_PER_SECOND_MIN = 0.001;
export const TRADES_PER_SECOND_MAX = 20_000;

const PLACES_SUM_MAX = 8;
/** However high the rate is set, an average trade has this many lots: one lot each would look dead. */
const LOTS_PER_TRADE_MIN = 20;
/** 2017-08-17, BTCUSDT's first day at Binance, in days since 1970. */
const FIRST_LISTING_DAY = 17_395;

interface Traits {
  readonly basePrice: number;
  readonly pricePlaces: number;
  readonly quantityPlaces: number;
  readonly tradesPerSecond: number;
  readonly dailyVolatility: number;
  /** Mean quote value of an aggregate trade. */
  readonly tradeValue: number;
}

function traits(
  basePrice: number,
  pricePlaces: number,
  quantityPlaces: number,
  tradesPerSecond: number,
  dailyVolatility: number,
  tradeValue: number,
): Traits {
  return {
    basePrice,
    pricePlaces,
    quantityPlaces,
    tradesPerSecond,
    dailyVolatility,
    tradeValue,
  };
}

/** Digits as Binance has them (ETHBTC: one place of quantity less, see `PLACES_SUM_MAX`), levels of the mid-2020s. */
const KNOWN: ReadonlyMap<string, Traits> = new Map([
  ['BTCUSDT', traits(94_000, 2, 5, 8, 0.022, 2_200)],
  ['ETHUSDT', traits(3_200, 2, 4, 6, 0.03, 1_600)],
  ['SOLUSDT', traits(165, 2, 3, 3.5, 0.038, 900)],
  ['BNBUSDT', traits(720, 2, 3, 2, 0.024, 700)],
  ['XRPUSDT', traits(2.3, 4, 1, 3, 0.035, 800)],
  ['DOGEUSDT', traits(0.19, 5, 0, 2.2, 0.042, 600)],
  ['PEPEUSDT', traits(0.0000098, 8, 0, 1.2, 0.055, 450)],
  ['SHIBUSDT', traits(0.0000124, 8, 0, 0.6, 0.042, 350)],
  ['ADAUSDT', traits(0.71, 4, 1, 1.1, 0.038, 450)],
  ['TRXUSDT', traits(0.29, 4, 1, 0.8, 0.02, 600)],
  ['LINKUSDT', traits(15.4, 2, 2, 0.9, 0.039, 450)],
  ['AVAXUSDT', traits(21.5, 2, 2, 0.8, 0.041, 400)],
  ['LTCUSDT', traits(92, 2, 3, 0.7, 0.033, 450)],
  ['DOTUSDT', traits(4.1, 3, 2, 0.5, 0.039, 300)],
  ['SUIUSDT', traits(3.1, 4, 1, 1.4, 0.048, 450)],
  ['ETHBTC', traits(0.034, 5, 3, 0.5, 0.016, 0.02)],
]);

/**
 * The listing of `symbol` in the market of `seed`; `tradesPerSecond` overrides its mean rate (its
 * trades get smaller or larger, so that the turnover stays).
 * @throws RangeError where the rate is not within its limits.
 */
export function listingOf(
  symbol: MarketSymbol,
  seed: number,
  tradesPerSecond: number | undefined,
): Listing {
  const key = keyOf(symbol, seed);
  const traits = KNOWN.get(symbol) ?? derivedTraits(keyOf(symbol, 0));
  const rate = tradesPerSecond ?? traits.tradesPerSecond;
  if (!(rate >= TRADES_PER_SECOND_MIN && rate <= TRADES_PER_SECOND_MAX)) {
    throw new RangeError(
      `Expected ${TRADES_PER_SECOND_MIN} to ${TRADES_PER_SECOND_MAX} trades per second, was ${rate}`,
    );
  }
  const lotValue = traits.basePrice * 10 ** -traits.quantityPlaces;
  const tradeValue = (traits.tradeValue * traits.tradesPerSecond) / rate;
  return {
    symbol,
    key,
    basePrice: traits.basePrice,
    pricePlaces: traits.pricePlaces,
    quantityPlaces: traits.quantityPlaces,
    tradesPerSecond: rate,
    dailyVolatility: traits.dailyVolatility,
    lotsPerTrade: Math.max(LOTS_PER_TRADE_MIN, tradeValue / lotValue),
    listedOn: listedOn(symbol),
  };
}

/** The great two on the same day as at Binance; the others within the year after, so that 3d grids differ. */
function listedOn(symbol: MarketSymbol): EpochMs {
  const isFirst = symbol === 'BTCUSDT' || symbol === 'ETHUSDT';
  const days = isFirst ? 0 : Math.floor(unitOf(keyOf(symbol, 1)) * 365);
  return ((FIRST_LISTING_DAY + days) * DAY_MS) as EpochMs;
}

function derivedTraits(key: number): Traits {
  const level = -4 + 7 * unitOf(hashOf(key, 1, 0));
  const magnitude = Math.floor(level);
  const pricePlaces = Math.min(PLACES_SUM_MAX, Math.max(2, 4 - magnitude));
  const quantityPlaces = Math.min(PLACES_SUM_MAX - pricePlaces, Math.max(0, magnitude + 1));
  return {
    basePrice: 10 ** level,
    pricePlaces,
    quantityPlaces,
    tradesPerSecond: 10 ** (-1.7 + 1.9 * unitOf(hashOf(key, 2, 0))),
    dailyVolatility: 0.03 + 0.04 * unitOf(hashOf(key, 3, 0)),
    tradeValue: 120 + 300 * unitOf(hashOf(key, 4, 0)),
  };
}

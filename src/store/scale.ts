// Decimals as 64-bit integers at a scale of their own: how many places a value needs, and there and back. Exact or an error, never rounded or wrapped (I3).
import { DECIMAL_PLACES, type Decimal } from '../core/market/decimal.ts';

/** Number of decimal places kept, 0 to 8: the integer in the database is the value × 10^scale. */
export type Scale = number;

/** The scales of one symbol: fields of one kind share one. */
export interface Scales {
  /** open, high, low, close. */
  readonly price: Scale;
  /** volume, takerBuyVolume. */
  readonly volume: Scale;
  /** quoteVolume, takerBuyQuoteVolume. */
  readonly quoteVolume: Scale;
}

export type ScaledKind = keyof Scales;

/** What a database's 64-bit integer holds. */
export const INT64_MAX = 9_223_372_036_854_775_807n;
export const INT64_MIN = -9_223_372_036_854_775_808n;

/** By scale: how many of core's 1e-8 units one step is. As a double too: BigInt division is several times slower. */
const UNITS = Array.from(
  { length: DECIMAL_PLACES + 1 },
  (_, scale) => 10 ** (DECIMAL_PLACES - scale),
);
const UNITS_EXACT = UNITS.map(BigInt);

/** The least scale, `from` or more, at which `value` is a whole number. */
export function scaleFor(value: Decimal, from: Scale): Scale {
  for (let scale = from; scale < DECIMAL_PLACES; scale++) {
    if (isWhole(value, scale)) return scale;
  }
  return DECIMAL_PLACES;
}

/**
 * `value` × 10^scale, where it is whole at that scale: a double where exact, else a bigint;
 * undefined where 64 bits cannot hold it.
 */
export function toScaled(value: Decimal, scale: Scale): number | bigint | undefined {
  const double = Number(value);
  if (Number.isSafeInteger(double)) return double / unitsOf(scale);
  const exact = value / unitsExactOf(scale);
  return exact <= INT64_MAX && exact >= INT64_MIN ? exact : undefined;
}

export function fromScaled(value: bigint, scale: Scale): Decimal {
  return value * unitsExactOf(scale);
}

function isWhole(value: Decimal, scale: Scale): boolean {
  const double = Number(value);
  if (Number.isSafeInteger(double)) return double % unitsOf(scale) === 0;
  return value % unitsExactOf(scale) === 0n;
}

function unitsOf(scale: Scale): number {
  return UNITS[scale] ?? noScale(scale);
}

function unitsExactOf(scale: Scale): bigint {
  return UNITS_EXACT[scale] ?? noScale(scale);
}

function noScale(scale: Scale): never {
  throw new RangeError(`Expected a scale of 0 to ${DECIMAL_PLACES} places, was ${scale}`);
}

// Exact decimals: whole numbers of 1e-8, as many places as the exchange writes. Nothing here rounds or wraps.

/** A decimal as a whole number of 1e-8, of any width: `1.5` is `150_000_000n`. */
export type Decimal = bigint;

export const DECIMAL_PLACES = 8;
export const DECIMAL_ONE: Decimal = 100_000_000n;

/** Longest text taken as a decimal: a named limit against absurd input, far above any market's digits. */
export const DECIMAL_LENGTH_MAX = 40;

const FORM = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/;

/**
 * Non-negative decimal text → 1e-8 units; undefined where it is no such decimal or has more than 8
 * places that are not zeros (it would not fit: never rounded).
 */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > DECIMAL_LENGTH_MAX) return undefined;
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const fraction = match[2] ?? '';
  if (fraction.length > DECIMAL_PLACES && /[1-9]/.test(fraction.slice(DECIMAL_PLACES))) {
    return undefined;
  }
  return BigInt(`${match[1]}${fraction.slice(0, DECIMAL_PLACES).padEnd(DECIMAL_PLACES, '0')}`);
}

/** @throws RangeError where `text` is no non-negative decimal of at most 8 places. */
export function decimal(text: string): Decimal {
  const value = parseDecimal(text);
  if (value === undefined) {
    throw new RangeError(`Expected a decimal of at most ${DECIMAL_PLACES} places, was "${text}"`);
  }
  return value;
}

/** 1e-8 units → text with exactly 8 places, as the exchange writes it. */
export function formatDecimal(value: Decimal): string {
  const negative = value < 0n;
  const digits = (negative ? -value : value).toString().padStart(DECIMAL_PLACES + 1, '0');
  const point = digits.length - DECIMAL_PLACES;
  return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/**
 * A non-negative decimal as two doubles that hold whole numbers: the part before the point and the
 * 8 digits after it (< 1e8). The hot path's form: exact while `integer` ≤ 2^53 − 1.
 */
export function decimalOf(integer: number, fraction: number): Decimal {
  return BigInt(integer) * DECIMAL_ONE + BigInt(fraction);
}

// Decimal strings with 8 places, as the exchange writes them, to and from BigInt. Refuses floats.

/** One unit of the 8th decimal place is 1n. */
export const SCALE = 100_000_000n;

const PLACES = 8;

/** `"87648.21"` → `8764821000000n`. Throws on text that is no plain decimal of at most 8 places. */
export function toScaled(text: string): bigint {
  const dot = text.indexOf('.');
  const whole = dot < 0 ? text : text.slice(0, dot);
  const fraction = dot < 0 ? '' : text.slice(dot + 1);
  if (fraction.length > PLACES && !/^0*$/.test(fraction.slice(PLACES))) {
    throw new RangeError(`Expected at most ${PLACES} decimal places, was "${text}"`);
  }
  return BigInt(whole + fraction.slice(0, PLACES).padEnd(PLACES, '0'));
}

/** `8764821000000n` → `"87648.21000000"`: always 8 places. */
export function fromScaled(value: bigint): string {
  if (value < 0n) return `-${fromScaled(-value)}`;
  const digits = value.toString().padStart(PLACES + 1, '0');
  return `${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}`;
}

/** Any decimal text to the exchange's 8 places: `"0.2312"` → `"0.23120000"`. */
export function toPlaces(text: string): string {
  const isThere = text.indexOf('.') === text.length - PLACES - 1 && text.length > PLACES + 1;
  return isThere ? text : fromScaled(toScaled(text));
}

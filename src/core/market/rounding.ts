// I3's rounding: where price × quantity has more than 8 places, the exchange truncates each single trade's quote value, which aggregates
// cannot show. Says whether two candles differ by that alone; takes nothing over by itself.
import { type Candle, sameCandleValues } from './candle.ts';
import { DECIMAL_PLACES, type Decimal } from './decimal.ts';

/** Decimal places seen in a symbol's prices and quantities; they only ever widen. */
export interface DigitsSeen {
  readonly price: number;
  readonly quantity: number;
}

export const NO_DIGITS: DigitsSeen = { price: 0, quantity: 0 };

export function widenDigits(digits: DigitsSeen, candle: Candle): DigitsSeen {
  const { open, high, low, close, volume, takerBuyVolume } = candle;
  const price = Math.max(digits.price, ...[open, high, low, close].map(placesOf));
  const quantity = Math.max(digits.quantity, placesOf(volume), placesOf(takerBuyVolume));
  if (price === digits.price && quantity === digits.quantity) return digits;
  return { price, quantity };
}

/**
 * Equal in every field but the quote volumes, those by less than trades × 1e-8 (and not at all equal).
 * @see DESIGN.md, I3
 */
export function differsByRounding(a: Candle, b: Candle): boolean {
  if (sameCandleValues(a, b)) return false;
  const { quoteVolume, takerBuyQuoteVolume, trades } = b;
  const bound = BigInt(trades);
  return (
    sameCandleValues({ ...a, quoteVolume, takerBuyQuoteVolume }, b) &&
    distance(a.quoteVolume, quoteVolume) < bound &&
    distance(a.takerBuyQuoteVolume, takerBuyQuoteVolume) < bound
  );
}

/** Whether the exchange must truncate quote values of a pair with these digits at all. */
export function mayRound({ price, quantity }: DigitsSeen): boolean {
  return price + quantity > DECIMAL_PLACES;
}

function distance(a: Decimal, b: Decimal): Decimal {
  return a > b ? a - b : b - a;
}

function placesOf(value: Decimal): number {
  let places = DECIMAL_PLACES;
  for (let rest = value; places > 0 && rest % 10n === 0n; rest /= 10n) places--;
  return places;
}

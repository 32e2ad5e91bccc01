// Decimal text for the eye: zeros trimmed, thousands grouped. Works on the digits as they came, never on a float.
import { parseDecimal } from '../../src/core/market/decimal.ts';

/** Trailing zeros beyond `digitsMin` places cut, missing ones added: `90241.10000000` → `90241.10`. No digit but a zero is lost. */
export function trimDecimal(text: string, digitsMin: number): string {
  const point = text.indexOf('.');
  const whole = point < 0 ? text : text.slice(0, point);
  const fraction = (point < 0 ? '' : text.slice(point + 1)).replace(/0+$/, '');
  const shown = fraction.padEnd(digitsMin, '0');
  return shown === '' ? whole : `${whole}.${shown}`;
}

/** `1234567.8901` → `1,234,567.8901`. */
export function groupThousands(text: string): string {
  const [whole = '', ...fraction] = text.split('.');
  return [whole.replace(/\B(?=(\d{3})+$)/g, ','), ...fraction].join('.');
}

/** `1234567.8901` → `1`, `234`, `567.8901`: groups between which a style sheet can set its commas. */
export function splitThousands(text: string): readonly string[] {
  return groupThousands(text).split(',');
}

/** The difference and its share of `open`, rounded to 0.01 %: `+12.30`, `+1.25%`. Undefined where either is no decimal. */
export function changeText(
  open: string,
  close: string,
  digits: number,
):
  | { readonly difference: string; readonly percent: string; readonly sign: -1 | 0 | 1 }
  | undefined {
  const from = parseDecimal(open);
  const to = parseDecimal(close);
  if (from === undefined || to === undefined) return undefined;
  const size = to > from ? to - from : from - to;
  const sign = to > from ? 1 : to < from ? -1 : 0;
  const mark = sign > 0 ? '+' : sign < 0 ? '−' : '';
  const difference = trimDecimal(fixed(size, 8), digits);
  // Half up: 20,000 hundredths of a percent make 2 × the whole.
  const hundredths = from === 0n ? 0n : (size * 20_000n + from) / (2n * from);
  return {
    difference: `${mark}${groupThousands(difference)}`,
    percent: `${hundredths === 0n ? '' : mark}${fixed(hundredths, 2)}%`,
    sign,
  };
}

/** A share of a whole in per cent with one place, `48.3%`; empty where the whole is zero or either is no decimal. */
export function shareText(part: string, whole: string): string {
  const of = parseDecimal(part);
  const all = parseDecimal(whole);
  if (of === undefined || all === undefined || all === 0n) return '';
  return `${fixed((of * 2_000n + all) / (2n * all), 1)}%`;
}

function fixed(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

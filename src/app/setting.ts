// One setting: what it is, and how its text becomes a value or one line that says why not. Knows none of them.
import type { DurationMs } from '../core/market/time.ts';

/** Text → value, or one line that says what was expected and quotes what came. */
export type Parse<T> = (text: string) => { readonly value: T } | { readonly fault: string };

export interface Setting<T> {
  /** Without the dashes: `data-dir`. */
  readonly flag: string;
  /** Environment variables, tried in order. */
  readonly env: readonly string[];
  readonly defaultText: string | undefined;
  readonly argument: string;
  readonly help: string;
  readonly parse: Parse<T>;
  /** Never printed. */
  readonly secret?: true;
}

export const fault = (expected: string, text: string): { readonly fault: string } => ({
  fault: `expected ${expected}, was "${text}"`,
});

export function oneOf<const T extends string>(...choices: readonly T[]): Parse<T> {
  return (text) => {
    const value = choices.find((choice) => choice === text);
    return value === undefined ? fault(`one of ${choices.join(', ')}`, text) : { value };
  };
}

export function wholeNumber(min: number, max: number): Parse<number> {
  return (text) => {
    const value = Number(text);
    const isNumber = (min < 0 ? /^-?\d+$/ : /^\d+$/).test(text);
    const isWhole = isNumber && value >= min && value <= max;
    return isWhole ? { value } : fault(`a whole number from ${min} to ${max}`, text);
  };
}

const DURATION_UNITS: Readonly<Record<string, DurationMs>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

export const parseDuration: Parse<DurationMs> = (text) => {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  const unit = DURATION_UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined) return fault('a time such as 30m, 24h or 7d', text);
  return { value: Number(match[1]) * unit };
};

export const anyText: Parse<string> = (text) =>
  text === '' ? fault('some text', text) : { value: text };

function own(flag: string): string {
  return `WICKSTREAM_${flag.toUpperCase().replaceAll('-', '_')}`;
}

export function setting<T>(
  flag: string,
  argument: string,
  defaultText: string | undefined,
  parse: Parse<T>,
  help: string,
  more: { readonly env?: readonly string[]; readonly secret?: true } = {},
): Setting<T> {
  const { env = [own(flag)], ...rest } = more;
  return { flag, argument, defaultText, parse, help, env, ...rest };
}

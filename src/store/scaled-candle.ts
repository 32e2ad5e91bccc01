// A candle's decimals as the scaled integers of its row, and the scales a batch needs: what every database's table of candles shares. Touches no database.

import { z } from 'zod';
import type { Candle } from '../core/market/candle.ts';
import {
  DECIMAL_LENGTH_MAX,
  DECIMAL_PLACES,
  type Decimal,
  formatDecimal,
  parseDecimal,
} from '../core/market/decimal.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import { StoreError } from './candle-store.ts';
import {
  fromScaled,
  INT64_MAX,
  type Scale,
  type ScaledKind,
  type Scales,
  scaleFor,
} from './scale.ts';

/** The candle's fields that are scaled integers, with their column and kind. */
export const SCALED_FIELDS = [
  { field: 'open', column: 'open', kind: 'price' },
  { field: 'high', column: 'high', kind: 'price' },
  { field: 'low', column: 'low', kind: 'price' },
  { field: 'close', column: 'close', kind: 'price' },
  { field: 'volume', column: 'volume', kind: 'volume' },
  { field: 'quoteVolume', column: 'quote_volume', kind: 'quoteVolume' },
  { field: 'takerBuyVolume', column: 'taker_buy_volume', kind: 'volume' },
  { field: 'takerBuyQuoteVolume', column: 'taker_buy_quote_volume', kind: 'quoteVolume' },
] as const satisfies readonly { field: keyof Candle; column: string; kind: ScaledKind }[];

export type ScaledField = (typeof SCALED_FIELDS)[number]['field'];

export const NO_SCALES: Scales = { price: 0, volume: 0, quoteVolume: 0 };

/**
 * Stands in an integer's column where 64 bits are too few at the symbol's scale: the value itself is in
 * the row's column `wide`, as text. Prices and volumes are never negative.
 */
export const WIDE = -1;

/** A row's column `wide`: JSON of decimals by column; none in nearly every row. */
export function wideText(values: Readonly<Record<string, Decimal>>): string {
  const texts = Object.entries(values).map(([column, value]) => [column, formatDecimal(value)]);
  return JSON.stringify(Object.fromEntries(texts));
}

/** @throws StoreError `damaged` where it is no such text. */
export function parseWide(text: string): ReadonlyMap<string, Decimal> {
  const found = z.record(z.string(), z.string()).safeParse(jsonOf(text));
  const entries = Object.entries(found.data ?? {}).map(
    ([column, digits]) => [column, parseDecimal(digits)] as const,
  );
  const values = new Map<string, Decimal>();
  for (const [column, value] of entries) if (value !== undefined) values.set(column, value);
  if (found.success && values.size === entries.length) return values;
  throw new StoreError(
    'damaged',
    `Expected decimals by column in a row of candles, was "${text}": restore a copy of the database, or move it away`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws StoreError `out-of-range` where a value has more digits than any market's. */
export function checkDigits(candle: Candle, field: ScaledField): void {
  const text = formatDecimal(candle[field]);
  if (text.length <= DECIMAL_LENGTH_MAX) return;
  throw new StoreError(
    'out-of-range',
    `Cannot keep ${field} ${text} of ${candle.symbol} ${candle.interval}: it has more than ${DECIMAL_LENGTH_MAX} digits, as no market has; leave this interval or symbol out`,
  );
}

/** By symbol, the least scales for what is kept (`known`) and for `candles`. */
export function neededScales(
  candles: readonly Candle[],
  known: (symbol: MarketSymbol) => Scales | undefined,
): ReadonlyMap<MarketSymbol, Scales> {
  const needed = new Map<MarketSymbol, Record<ScaledKind, Scale>>();
  for (const candle of candles) {
    let scales = needed.get(candle.symbol);
    if (scales === undefined) {
      scales = { ...(known(candle.symbol) ?? NO_SCALES) };
      needed.set(candle.symbol, scales);
    }
    for (const { field, kind } of SCALED_FIELDS) {
      if (scales[kind] < DECIMAL_PLACES) scales[kind] = scaleFor(candle[field], scales[kind]);
    }
  }
  return needed;
}

/** How one column of a symbol's rows changes when its scale widens. */
export interface Widening {
  readonly column: string;
  readonly from: Scale;
  readonly factor: bigint;
  /** Greatest integer that still fits 64 bits afterwards; what is greater becomes `WIDE`. */
  readonly greatest: bigint;
}

export function wideningsOf(from: Scales, to: Scales): readonly Widening[] {
  return SCALED_FIELDS.filter(({ kind }) => to[kind] > from[kind]).map(({ column, kind }) => {
    const factor = 10n ** BigInt(to[kind] - from[kind]);
    return { column, from: from[kind], factor, greatest: INT64_MAX / factor };
  });
}

/** SQL: which rows have an integer that will not fit. */
export function isTooLargeSql(widenings: readonly Widening[]): string {
  return widenings.map(({ column, greatest }) => `${column} > ${greatest}`).join(' OR ');
}

/** SQL: marks what will not fit, in a row whose `wide` is written at the same time. */
export function markWideSql(widenings: readonly Widening[]): string {
  return widenings
    .map(
      ({ column, greatest }) =>
        `${column} = CASE WHEN ${column} > ${greatest} THEN ${WIDE} ELSE ${column} END`,
    )
    .join(', ');
}

/** SQL: what fits, at the wider scale. */
export function multiplySql(widenings: readonly Widening[]): string {
  return widenings
    .map(
      ({ column, factor }) =>
        `${column} = CASE WHEN ${column} = ${WIDE} THEN ${WIDE} ELSE ${column} * ${factor} END`,
    )
    .join(', ');
}

/** The row's `wide`, with those of its `integers`, in the order of `widenings`, that will not fit. */
export function widerText(
  wide: string | undefined,
  integers: readonly bigint[],
  widenings: readonly Widening[],
): string {
  const values = new Map(wide === undefined ? [] : parseWide(wide));
  widenings.forEach(({ column, from, greatest }, index) => {
    const kept = integers[index];
    if (kept !== undefined && kept > greatest) values.set(column, fromScaled(kept, from));
  });
  return wideText(Object.fromEntries(values));
}

// What differs between two candles of one window, field by field, for people: both values of each.
import type { Candle } from './candle.ts';
import { formatDecimal } from './decimal.ts';

const FIELDS = [
  'open',
  'high',
  'low',
  'close',
  'volume',
  'quoteVolume',
  'trades',
  'takerBuyVolume',
  'takerBuyQuoteVolume',
  'firstTradeId',
  'lastTradeId',
] as const satisfies readonly (keyof Candle)[];

export interface FieldDifference {
  readonly field: (typeof FIELDS)[number];
  readonly ours: string;
  readonly theirs: string;
}

/** Empty exactly where `sameCandleValues` says that they are equal. Unknown ids are equal to any. */
export function candleDifferences(ours: Candle, theirs: Candle): readonly FieldDifference[] {
  return FIELDS.flatMap((field) => {
    const [a, b] = [ours[field], theirs[field]];
    if (a === undefined || b === undefined || a === b) return [];
    return [{ field, ours: textOf(a), theirs: textOf(b) }];
  });
}

function textOf(value: bigint | number): string {
  return typeof value === 'bigint' ? formatDecimal(value) : String(value);
}

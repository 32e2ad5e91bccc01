// Our candle and the exchange's, field by field, as text: which differ. Pure; digits are compared as they came.
import { groupThousands, trimDecimal } from '../legend/format-decimal.ts';

/** A candle as `/api/v1/audits` writes it: decimals as text, unknown ids absent. */
export type CandleFields = Readonly<Record<string, string | number | boolean>>;

export interface FieldPair {
  readonly label: string;
  readonly ours: string;
  readonly theirs: string;
}

const FIELDS: readonly (readonly [key: string, label: string])[] = [
  ['open', 'Open'],
  ['high', 'High'],
  ['low', 'Low'],
  ['close', 'Close'],
  ['volume', 'Volume'],
  ['quoteVolume', 'Quote vol'],
  ['trades', 'Trades'],
  ['takerBuyVolume', 'Taker buy'],
  ['takerBuyQuoteVolume', 'Taker buy quote'],
  ['firstTradeId', 'First id'],
  ['lastTradeId', 'Last id'],
];

/** The fields that differ, and how many are equal. An id that one side does not know is not compared. */
export function differingFields(
  ours: CandleFields,
  theirs: CandleFields,
): { readonly pairs: readonly FieldPair[]; readonly equal: number } {
  const pairs: FieldPair[] = [];
  let equal = 0;
  for (const [key, label] of FIELDS) {
    const [mine, other] = [ours[key], theirs[key]];
    if (mine === undefined || other === undefined) continue;
    if (mine === other) equal += 1;
    else pairs.push({ label, ours: fieldText(key, mine), theirs: fieldText(key, other) });
  }
  return { pairs, equal };
}

function fieldText(key: string, value: string | number | boolean): string {
  if (typeof value === 'string') return groupThousands(trimDecimal(value, 0));
  return key === 'trades' ? groupThousands(String(value)) : String(value);
}

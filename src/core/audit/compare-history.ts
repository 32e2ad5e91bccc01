// Stored candles of one interval against the exchange's of the same span: what is missing, too much, or different. Decides nothing about mending.
import { type Candle, sameCandleValues } from '../market/candle.ts';
import { differsByRounding } from '../market/rounding.ts';
import type { EpochMs } from '../market/time.ts';

export type HistoryDifference =
  /** The exchange has it, the store has not. */
  | { readonly type: 'missing'; readonly theirs: Candle }
  /** The store has it, the exchange has not. */
  | { readonly type: 'extra'; readonly ours: Candle }
  | { readonly type: 'differs'; readonly ours: Candle; readonly theirs: Candle }
  /** Equal but for quote volumes within the bound of I3: no fault. */
  | { readonly type: 'rounding'; readonly ours: Candle; readonly theirs: Candle }
  /** Equal, though marked as lacking trades: no fault of its numbers. */
  | { readonly type: 'incomplete'; readonly ours: Candle; readonly theirs: Candle };

/** Whether stored history is wrong there; the others are told and count as equal. */
export function isFault({ type }: HistoryDifference): boolean {
  return type === 'missing' || type === 'extra' || type === 'differs';
}

/** Both ascending and of the same span. Yields ascending; equal candles yield nothing. `mayRound`: whether the pair's digits make the exchange truncate. */
export function* compareHistory(
  ours: readonly Candle[],
  theirs: readonly Candle[],
  mayRound: boolean,
): Generator<HistoryDifference, void, undefined> {
  const kept = new Map(ours.map((candle) => [candle.openTime, candle]));
  const told = new Map(theirs.map((candle) => [candle.openTime, candle]));
  const openTimes = new Set<EpochMs>([...kept.keys(), ...told.keys()]);
  for (const openTime of [...openTimes].sort((a, b) => a - b)) {
    const difference = compare(kept.get(openTime), told.get(openTime), mayRound);
    if (difference !== undefined) yield difference;
  }
}

function compare(
  ours: Candle | undefined,
  theirs: Candle | undefined,
  mayRound: boolean,
): HistoryDifference | undefined {
  if (ours === undefined) return theirs === undefined ? undefined : { type: 'missing', theirs };
  if (theirs === undefined) return { type: 'extra', ours };
  if (sameCandleValues(ours, theirs)) {
    return ours.complete ? undefined : { type: 'incomplete', ours, theirs };
  }
  const isRounding = mayRound && differsByRounding(ours, theirs);
  return { type: isRounding ? 'rounding' : 'differs', ours, theirs };
}

// What the audit says of a candle, in words. Pure. On intervals other than 1m nothing is said: only minutes are compared.
import type { Interval } from '../../src/core/market/interval.ts';
import {
  type CandleRow,
  ROW_CLOSED,
  ROW_DIFFERS,
  ROW_FROM_KLINES,
  ROW_REPAIRED,
  ROW_UNVERIFIED,
  ROW_VERIFIED,
  type StatusView,
} from '../../src/protocol/browser.ts';

/**
 * The exchange's four verdicts; `taken`: from the exchange's klines, so that there is nothing to compare;
 * `pending`: closed, no verdict yet; `open`: not closed yet.
 */
export type Standing =
  | 'verified'
  | 'repaired'
  | 'differs'
  | 'unverified'
  | 'taken'
  | 'pending'
  | 'open';

export type SourceKind = StatusView['source']['kind'];

/** Undefined on intervals that are not audited. */
export function standingOf(row: CandleRow, interval: Interval): Standing | undefined {
  if (interval !== '1m') return undefined;
  const flags = row[13];
  if ((flags & ROW_CLOSED) === 0) return 'open';
  if ((flags & ROW_DIFFERS) !== 0) return 'differs';
  if ((flags & ROW_REPAIRED) !== 0) return 'repaired';
  if ((flags & ROW_VERIFIED) !== 0) return 'verified';
  // The audit calls these unverified too; why is said better by where they come from.
  if ((flags & ROW_FROM_KLINES) !== 0) return 'taken';
  return (flags & ROW_UNVERIFIED) === 0 ? 'pending' : 'unverified';
}

/** Whom our candle is compared with. */
export function exchangeName(kind: SourceKind | undefined): string {
  if (kind === 'simulated') return 'the simulated exchange';
  return kind === 'recording' ? 'the recorded exchange' : 'the exchange';
}

export interface VerdictText {
  readonly word: string;
  readonly detail: string;
}

/** One line for the legend. `reason` is the audit's own, where it has been fetched. */
export function verdictText(
  standing: Standing,
  of: {
    readonly kind: SourceKind | undefined;
    readonly revision: number;
    readonly reason: string | undefined;
  },
): VerdictText {
  const exchange = exchangeName(of.kind);
  switch (standing) {
    case 'verified':
      return {
        word: 'Verified',
        detail: `${of.reason ?? `equals ${exchange}’s own candle, digit for digit`}`,
      };
    case 'repaired':
      return {
        word: 'Repaired',
        detail: `${of.reason ?? `now equals ${exchange}’s candle`} · revision ${of.revision}`,
      };
    case 'differs':
      return { word: 'Differs', detail: of.reason ?? `not what ${exchange} says` };
    case 'unverified':
      return {
        word: 'Unverified',
        detail: of.reason ?? `${exchange}’s own candle could not be had`,
      };
    case 'taken':
      return { word: 'History', detail: `taken from ${exchange}’s klines: nothing to compare` };
    case 'pending':
      return { word: 'Not verified yet', detail: `${exchange}’s own candle is awaited` };
    case 'open':
      return { word: 'Open', detail: 'compared when the minute is over' };
  }
}

// What the audit says of one closed minute. Data only.
import type { Candle } from '../market/candle.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import type { EpochMs } from '../market/time.ts';

/**
 * - verified: equal to the exchange's candle in all fields, folded from the trades as they came;
 *   `rounding`: but for quote volumes within the bound of I3, or with the exchange's digits taken over for that
 * - repaired: equal since a correction: the trades were fetched again
 * - differs: fetched again, ours came out the same, and a fresh kline still disagrees; or the trades cannot be had
 * - unverified: the exchange's candle could not be had, or ours was taken from it and proves nothing
 */
export type Verdict = 'verified' | 'repaired' | 'differs' | 'unverified';

export const VERDICTS = ['verified', 'repaired', 'differs', 'unverified'] as const;

/** One verdict on (`symbol`, 1m, `openTime`); a later one of the same minute replaces it. */
export interface Audit {
  readonly symbol: MarketSymbol;
  /** Of the minute. */
  readonly openTime: EpochMs;
  readonly verdict: Verdict;
  /** Revision of our candle it is about; 0 also where we have none. */
  readonly revision: number;
  /** Equal but for quote volumes within the bound of I3. */
  readonly rounding: boolean;
  /** One line for people, where there is more to say. */
  readonly reason?: string;
  /** Both values, where they differ. */
  readonly ours?: Candle;
  readonly theirs?: Candle;
  /** By the clock of the machine that audits. */
  readonly at: EpochMs;
}

/** How many closed minutes of a symbol have which verdict. */
export type AuditCounts = Readonly<Record<Verdict, number>>;

// What one symbol's aggregation is between two records, for whoever takes it over: with the closed candles of its topics' tails,
// going on from it gives the same bytes as never having stopped. Data only.
import type { Candle } from '../market/candle.ts';
import type { Decimal } from '../market/decimal.ts';
import type { Calendar, Interval } from '../market/interval.ts';
import type { EpochMs } from '../market/time.ts';

/** An open second or minute. */
export interface WindowState {
  /** −1: none is open yet. */
  readonly openTime: number;
  readonly incomplete: boolean;
  /** Undefined: no trade yet. */
  readonly candle: Candle | undefined;
}

/** Changes with every record. */
export interface AggregationState {
  readonly second: WindowState;
  readonly minute: WindowState;
  readonly calendar: Calendar;
  readonly counters: AggregationCounters;
}

export interface AggregationCounters {
  readonly lastAggTradeId: number;
  readonly idMayJump: boolean;
  readonly inHole: boolean;
  readonly previousClose: Decimal | undefined;
  readonly previousIsSure: boolean;
  readonly minutesFrom: EpochMs | undefined;
  readonly daysFrom: EpochMs | undefined;
  readonly eventTime: EpochMs | undefined;
}

/** A longer window's closed parts so far, as one candle. */
export interface RollUpState {
  readonly interval: Interval;
  readonly merged: Candle;
}

/** Changes with minutes, not with trades. */
export interface RolledState {
  readonly rollUps: readonly RollUpState[];
  /** `interval:openTime` and the revision above 0 it has, oldest first. */
  readonly revisions: readonly (readonly [string, number])[];
}

/** The newest published closed candles, each identity's highest revision last. */
export interface ClosedTails {
  readonly seconds: readonly Candle[];
  readonly minutes: readonly Candle[];
  readonly days: readonly Candle[];
}

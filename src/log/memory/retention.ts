// How much of each `delete` topic the memory log keeps for readers that lag, and what happens at that bound.
import { OHLCV, RAW_TICKS } from '../../protocol/topics.ts';

/**
 * - wait: `append` waits until the slowest reader has made room; a batch larger than the bound goes in alone.
 *   For readers that nobody waits for, `unheldRecordsMax` are kept, and then as in drop-oldest
 * - drop-oldest: never waits; the oldest go, counted in each `LogConsumer.dropped` that had not read them.
 *   A batch is never cut: it drops only what was there before it.
 */
export type Retention =
  | { readonly atBound: 'wait'; readonly recordsMax: number; readonly unheldRecordsMax: number }
  | { readonly atBound: 'drop-oldest'; readonly recordsMaxPerKey: number };

/** Some seconds of 20 busy symbols: about 10 MB. */
export const RAW_TICKS_KEPT_MAX = 50_000;

/** For the store of trades, while it takes none: hours of one busy symbol, about 50 MB. */
export const RAW_TICKS_UNHELD_MAX = 250_000;

/** An hour of one symbol. */
export const CANDLES_1S_KEPT_MAX = 3_600;

/** Of one symbol and interval: 24 h of 1m, and more time of the longer ones. */
export const CANDLES_KEPT_MAX = 1_440;

/** Of any other topic. */
export const RECORDS_PER_KEY_KEPT_MAX = 1_000;

export function retentionOf(topicName: string): Retention {
  if (topicName === RAW_TICKS.name) {
    return {
      atBound: 'wait',
      recordsMax: RAW_TICKS_KEPT_MAX,
      unheldRecordsMax: RAW_TICKS_UNHELD_MAX,
    };
  }
  return { atBound: 'drop-oldest', recordsMaxPerKey: recordsMaxPerKey(topicName) };
}

function recordsMaxPerKey(topicName: string): number {
  if (topicName === OHLCV['1s'].name) return CANDLES_1S_KEPT_MAX;
  const isCandles = Object.values(OHLCV).some((topic) => topic.name === topicName);
  return isCandles ? CANDLES_KEPT_MAX : RECORDS_PER_KEY_KEPT_MAX;
}

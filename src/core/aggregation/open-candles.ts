// The open candle of any interval, from the open second and minute and the closed parts of longer windows. Decides nothing about time.
import type { Candle } from '../market/candle.ts';
import type { Interval } from '../market/interval.ts';
import type { EpochMs } from '../market/time.ts';
import type { RollUps } from './corrections.ts';
import { isFromDays } from './roll-up.ts';

export interface OpenWindows {
  readonly second: Candle | undefined;
  readonly minute: Candle;
  readonly rollUps: RollUps;
  /** Undefined: not known further back than the open day. */
  readonly daysFrom: EpochMs | undefined;
}

export function openCandles(windows: OpenWindows, intervals: readonly Interval[]): Candle[] {
  const { second, minute, rollUps, daysFrom } = windows;
  const { calendar, minutesFrom } = rollUps;
  const rollUpOf = (interval: Interval) =>
    rollUps.rollUps.find((rollUp) => rollUp.interval === interval);
  const day = rollUpOf('1d')?.live(minute, calendar, minutesFrom) ?? minute;
  return intervals.flatMap((interval) => {
    if (interval === '1s') return second ?? [];
    if (interval === '1m') return minute;
    const rollUp = rollUpOf(interval);
    return isFromDays(interval)
      ? (rollUp?.live(day, calendar, daysFrom ?? day.openTime) ?? [])
      : (rollUp?.live(minute, calendar, minutesFrom) ?? []);
  });
}

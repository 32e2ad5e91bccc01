// Which gaps the reader sees, and where. Reads the time scale; draws nothing.
import type { ITimeScaleApi, Time, UTCTimestamp } from 'lightweight-charts';
import { type Interval, nextOpenTime } from '../../src/core/market/interval.ts';
import { epochMs } from '../../src/core/market/time.ts';
import { type Gap, toMs } from './candle-points.ts';

export interface GapInView {
  /** Open times of the first window that is missing and of the candle behind the last, ms. */
  readonly from: number;
  readonly to: number;
  /** Middle of what is seen of it, px from the left. */
  readonly x: number;
}

export function gapsInView(
  scale: ITimeScaleApi<Time>,
  gaps: readonly Gap[],
  interval: Interval,
): readonly GapInView[] {
  const width = scale.width();
  const seen: GapInView[] = [];
  for (const { afterSeconds, beforeSeconds } of gaps) {
    const left = scale.timeToCoordinate(afterSeconds as UTCTimestamp);
    const right = scale.timeToCoordinate(beforeSeconds as UTCTimestamp);
    if (left === null || right === null || right <= 0 || left >= width) continue;
    const from = nextOpenTime(interval, epochMs(toMs(afterSeconds)));
    const x = (Math.max(0, left) + Math.min(width, right)) / 2;
    seen.push({ from, to: toMs(beforeSeconds), x });
  }
  return seen;
}

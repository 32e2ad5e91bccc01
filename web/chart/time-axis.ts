// The chart library's time axis with marks at the reader's midnights and hours, which it would put at UTC's.
import {
  defaultHorzScaleBehavior,
  type IHorzScaleBehavior,
  type TickMarkWeightValue,
  type Time,
} from 'lightweight-charts';
import type { Interval } from '../../src/core/market/interval.ts';
import { axisZone, candleTimeText, markText, markWeight, type ZoneOffset } from './wall-clock.ts';

export interface AxisView {
  readonly interval: Interval;
  readonly zone: ZoneOffset;
}

/** An axis whose marks follow `view()`, read anew whenever points are set. */
export function wallClockAxis(view: () => AxisView): IHorzScaleBehavior<Time> {
  const axis = new (defaultHorzScaleBehavior())();
  // The library's own key of a point: its time in ms, though points are given in seconds.
  const inZone = () => axisZone(view().interval, view().zone);
  axis.formatTickmark = (mark) => markText(axis.cacheKey(mark.time), mark.weight, inZone());
  axis.formatHorzItem = (item) => candleTimeText(axis.cacheKey(item), view().interval, view().zone);
  axis.fillWeightsForPoints = (points, startIndex) => {
    const zone = inZone();
    const timeOf = (at: number): number | undefined => {
      const point = points[at];
      return point && axis.cacheKey(point.time);
    };
    for (let at = startIndex; at < points.length; at++) {
      const point = points[at];
      const time = timeOf(at);
      if (point === undefined || time === undefined) continue;
      // The first point has none before it: as far away as the second, on the other side.
      const before = timeOf(at - 1) ?? 2 * time - (timeOf(at + 1) ?? time);
      // markWeight answers in the library's own scale; the type is only its brand.
      point.timeWeight = markWeight(before, time, zone) as TickMarkWeightValue;
    }
  };
  return axis;
}

// All longer candles from a long series of closed minutes, in one pass. Only whole windows: what reaches before or beyond the minutes known is left out.
import type { Candle } from '../market/candle.ts';
import { type Calendar, closeTimeOf, type Interval } from '../market/interval.ts';
import { addMs, type EpochMs } from '../market/time.ts';
import { FROM_DAYS, FROM_MINUTES, RollUp } from './roll-up.ts';

export interface HistoryRollUp {
  /** The next closed minute, ascending; the longer candles that are over with it. */
  add(minute: Candle): readonly Candle[];
  /** Nothing more is known up to `time`, which is the end of a window: the longer candles that end by then. */
  knownTo(time: EpochMs): readonly Candle[];
  /** Minutes are missing before `knownFrom`: the windows they belong to are given up. */
  knownFrom(time: EpochMs): void;
}

/** Of one symbol. `from`: every minute the exchange has from there on will come. */
export function historyRollUp(
  intervals: readonly Interval[],
  calendar: Calendar,
  from: EpochMs,
): HistoryRollUp {
  const wanted = new Set<Interval>(intervals);
  const months = FROM_DAYS.filter((interval) => wanted.has(interval));
  const ofMinutes = FROM_MINUTES.filter(
    (interval) => wanted.has(interval) || (interval === '1d' && months.length > 0),
  ).map((interval) => new RollUp(interval));
  const ofDays = months.map((interval) => new RollUp(interval));
  let known = from;

  function* close(windows: readonly RollUp[], time: EpochMs): Generator<Candle> {
    for (const window of windows) {
      const closed = window.closedBy(time, known);
      if (closed !== undefined) yield closed;
    }
  }

  /** Minutes' windows over at `time`, and what their days close. */
  function* closeAll(time: EpochMs): Generator<Candle> {
    for (const closed of close(ofMinutes, time)) {
      if (wanted.has(closed.interval)) yield closed;
      if (closed.interval === '1d') yield* addDay(closed);
    }
    yield* close(ofDays, time);
  }

  function* addDay(day: Candle): Generator<Candle> {
    yield* close(ofDays, day.openTime);
    for (const window of ofDays) window.add(day, calendar);
    yield* close(ofDays, addMs(closeTimeOf('1d', day.openTime), 1));
  }

  return {
    add(minute) {
      const closed = [...closeAll(minute.openTime)];
      for (const window of ofMinutes) window.add(minute, calendar);
      closed.push(...closeAll(addMs(minute.closeTime, 1)));
      return closed;
    },
    knownTo: (time) => [...closeAll(time)],
    knownFrom(time) {
      known = time;
      for (const window of [...ofMinutes, ...ofDays]) window.drop();
    },
  };
}

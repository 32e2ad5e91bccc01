// Minutes into all longer candles, in one pass and in constant work a minute. Windows that began before the first minute are left out: they would not be whole.
import {
  type Calendar,
  type Interval,
  nextOpenTime,
  openTimeOf,
} from '../../core/market/interval.ts';
import { addMs, type EpochMs, MINUTE_MS } from '../../core/market/time.ts';
import { appendLotCandle, type LotCandle } from './lot-candle.ts';

/** From which shorter interval each is made: its windows tile the longer one's. */
const PARTS: ReadonlyMap<Interval, readonly Interval[]> = new Map([
  ['1m', ['3m', '5m']],
  ['5m', ['15m']],
  ['15m', ['30m']],
  ['30m', ['1h']],
  ['1h', ['2h']],
  ['2h', ['4h', '6h']],
  ['4h', ['8h', '12h']],
  ['12h', ['1d']],
  ['1d', ['3d', '1w', '1M']],
]);

interface Level {
  readonly interval: Interval;
  readonly longer: readonly Level[];
  readonly first: EpochMs;
  open: LotCandle | undefined;
  /** End of the open candle's window. */
  end: EpochMs;
}

/**
 * Takes closed minutes, ascending without a hole, and hands each closed candle that opens at or after
 * its interval's `first` to `onClosed`: ascending per interval. What it hands out is not touched again.
 */
export function rollUp(
  calendar: Calendar,
  first: ReadonlyMap<Interval, EpochMs>,
  onClosed: (interval: Interval, candle: LotCandle) => void,
): (minute: LotCandle) => void {
  const level = levelOf('1m', first);
  return (minute) => close(level, minute, addMs(minute.openTime, MINUTE_MS), calendar, onClosed);
}

function levelOf(interval: Interval, first: ReadonlyMap<Interval, EpochMs>): Level {
  return {
    interval,
    longer: (PARTS.get(interval) ?? []).map((over) => levelOf(over, first)),
    first: first.get(interval) ?? (0 as EpochMs),
    open: undefined,
    end: 0 as EpochMs,
  };
}

function close(
  level: Level,
  candle: LotCandle,
  end: EpochMs,
  calendar: Calendar,
  onClosed: (interval: Interval, candle: LotCandle) => void,
): void {
  if (candle.openTime >= level.first) onClosed(level.interval, candle);
  for (const longer of level.longer) {
    // Most of the past is too old for the short intervals that nothing longer is made of.
    if (longer.longer.length === 0 && candle.openTime < longer.first) continue;
    append(longer, candle, end, calendar, onClosed);
  }
}

function append(
  level: Level,
  part: LotCandle,
  partEnd: EpochMs,
  calendar: Calendar,
  onClosed: (interval: Interval, candle: LotCandle) => void,
): void {
  if (level.open !== undefined) {
    appendLotCandle(level.open, part);
  } else if (openTimeOf(level.interval, part.openTime, calendar) === part.openTime) {
    level.open = { ...part };
    level.end = nextOpenTime(level.interval, part.openTime);
  }
  if (level.open === undefined || partEnd < level.end) return;
  const closed = level.open;
  level.open = undefined;
  close(level, closed, partEnd, calendar, onClosed);
}

// When kline frames are due: open candles at most once a cadence and only if changed, closed ones
// once, some time after their end. Decides times only; holds no timer and no socket.
import { type Interval, nextOpenTime } from './calendar.ts';
import type { Market } from './market.ts';
import type { TruthCandle } from './truth.ts';

/** Delay of a closed kline after its window's end, in exchange ms; may depend on the window. */
export type CloseDelay = number | ((symbol: string, interval: Interval, end: number) => number);

export interface KlineFrame {
  readonly symbol: string;
  readonly interval: Interval;
  readonly candle: TruthCandle;
  readonly closed: boolean;
  readonly eventTime: number;
}

export interface KlineSchedule {
  /** Starts or ends the frames of one stream. */
  watch(symbol: string, interval: Interval, now: number): void;
  unwatch(symbol: string, interval: Interval): void;
  /** The symbol traded at `now`: its open candles have changed. */
  touch(symbol: string, now: number): void;
  /** When the next frame is due (ms); `Infinity` if none. */
  nextDue(): number;
  /** The frames due up to `now`, in time order; each is given once. */
  take(now: number): KlineFrame[];
}

export interface KlineScheduleOptions {
  readonly market: Market;
  readonly closeDelayMs: CloseDelay;
}

interface Watch {
  readonly symbol: string;
  readonly interval: Interval;
  openTime: number;
  closeDue: number;
  /** `Infinity` while there is nothing new to say. */
  updateDue: number;
  updatedAt: number;
}

const UPDATE_MS = 2_000;
const UPDATE_1S_MS = 1_000;

export function createKlineSchedule(options: KlineScheduleOptions): KlineSchedule {
  const { market } = options;
  const watches = new Map<string, Watch>();
  const bySymbol = new Map<string, Set<Watch>>();
  let due = Infinity;

  const key = (symbol: string, interval: Interval) => `${symbol}@${interval}`;

  function closeDueOf({ symbol, interval, openTime }: Watch): number {
    const end = nextOpenTime(interval, openTime);
    const delay = options.closeDelayMs;
    return end + (typeof delay === 'number' ? delay : delay(symbol, interval, end));
  }

  function frame(watch: Watch, openTime: number, closed: boolean, at: number): KlineFrame[] {
    const { symbol, interval } = watch;
    const candle = market.candle(symbol, interval, openTime, at);
    return candle ? [{ symbol, interval, candle, closed, eventTime: at }] : [];
  }

  function takeClosed(watch: Watch, now: number): KlineFrame[] {
    const frames: KlineFrame[] = [];
    while (watch.closeDue <= now) {
      frames.push(...frame(watch, watch.openTime, true, watch.closeDue));
      watch.openTime = nextOpenTime(watch.interval, watch.openTime);
      watch.closeDue = closeDueOf(watch);
    }
    return frames;
  }

  function takeUpdate(watch: Watch, now: number): KlineFrame[] {
    if (watch.updateDue > now) return [];
    watch.updateDue = Infinity;
    watch.updatedAt = now;
    // After its end and before its closed frame the exchange still sends the old window as open.
    return frame(watch, watch.openTime, false, now);
  }

  return {
    watch(symbol, interval, now) {
      if (watches.has(key(symbol, interval)) || !market.find(symbol)) return;
      const current = market.openTime(symbol, interval, now);
      const previous = market.openTime(symbol, interval, current - 1);
      const fresh = { symbol, interval, closeDue: 0, updateDue: Infinity, updatedAt: 0 };
      // Between a window's end and its closed frame it is still the one to close.
      const isPreviousDue = closeDueOf({ ...fresh, openTime: previous }) > now;
      const watch = { ...fresh, openTime: isPreviousDue ? previous : current };
      watch.closeDue = closeDueOf(watch);
      watches.set(key(symbol, interval), watch);
      const ofSymbol = bySymbol.get(symbol) ?? new Set();
      bySymbol.set(symbol, ofSymbol.add(watch));
      due = Math.min(due, watch.closeDue);
    },
    unwatch(symbol, interval) {
      const watch = watches.get(key(symbol, interval));
      if (watch === undefined) return;
      watches.delete(key(symbol, interval));
      bySymbol.get(symbol)?.delete(watch);
    },
    touch(symbol, now) {
      for (const watch of bySymbol.get(symbol) ?? []) {
        const cadence = watch.interval === '1s' ? UPDATE_1S_MS : UPDATE_MS;
        if (watch.updateDue === Infinity) {
          watch.updateDue = Math.max(now, watch.updatedAt + cadence);
          due = Math.min(due, watch.updateDue);
        }
      }
    },
    nextDue: () => due,
    take(now) {
      if (due > now) return [];
      const frames: KlineFrame[] = [];
      due = Infinity;
      for (const watch of watches.values()) {
        frames.push(...takeClosed(watch, now), ...takeUpdate(watch, now));
        due = Math.min(due, watch.closeDue, watch.updateDue);
      }
      return frames.sort((left, right) => left.eventTime - right.eventTime);
    },
  };
}

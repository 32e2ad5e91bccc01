// `<symbol>@miniTicker` and `!miniTicker@arr`: once a second, of the symbols that changed.
// The 24 h are taken in whole hours: the exchange's rolling window is finer.
import { HOUR } from './calendar.ts';
import type { Connections } from './connections.ts';
import { miniTickerEvent } from './frames.ts';
import type { Market } from './market.ts';
import { joinSums, toCandle, toSums } from './sums.ts';
import type { TruthCandle } from './truth.ts';

export interface MiniTickers {
  touch(symbol: string, now: number): void;
  nextDue(): number;
  send(now: number): void;
}

const CADENCE_MS = 1_000;
const HOURS = 24;
const ALL = '!miniTicker@arr';

export function createMiniTickers(market: Market, connections: Connections): MiniTickers {
  const changed = new Set<string>();
  let due = Infinity;

  return {
    touch(symbol, now) {
      const isWatched =
        connections.subscribers(ALL) + connections.subscribers(streamOf(symbol)) > 0;
      if (!isWatched) return;
      changed.add(symbol);
      if (due === Infinity) due = (Math.floor(now / CADENCE_MS) + 1) * CADENCE_MS;
    },
    nextDue: () => due,
    send(now) {
      if (due > now) return;
      const eventTime = due;
      due = Infinity;
      const events: string[] = [];
      for (const symbol of changed) {
        const candle = lastDay(market, symbol, eventTime);
        if (candle === undefined) continue;
        const event = miniTickerEvent(symbol, candle, eventTime);
        connections.broadcast(streamOf(symbol), event);
        events.push(event);
      }
      changed.clear();
      if (events.length > 0) connections.broadcast(ALL, `[${events.join(',')}]`);
    },
  };
}

function streamOf(symbol: string): string {
  return `${symbol.toLowerCase()}@miniTicker`;
}

function lastDay(market: Market, symbol: string, now: number): TruthCandle | undefined {
  const hours = market.candles(symbol, '1h', { endTime: now, limit: HOURS }, now);
  const sums = joinSums(hours.map(toSums));
  return sums && toCandle(sums, now - HOURS * HOUR, now);
}

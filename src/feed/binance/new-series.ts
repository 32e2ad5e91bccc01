// Sees that a symbol's ids have begun anew (a relisting, a reset test network): a lower id with a later time, and REST says so too. A single
// frame never decides it.
import type { AggTrade } from '../../core/market/agg-trade.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import {
  type Clock,
  type DurationMs,
  type EpochMs,
  MINUTE_MS,
  minuteOf,
} from '../../core/market/time.ts';
import type { Rest } from './rest.ts';
import type { Sequencer } from './sequencer.ts';

/** A trade passed on already, or swapped with its neighbour, is no later than the last one by more than this. */
const LATER_MS: DurationMs = 1_000;
/** Suspicions looked into at once for one and the same last trade: a doubled garbage frame asks REST no more than this … */
export const SUSPICIONS_MAX = 3;
/** … and then one in this time: REST may have lagged, or refused us, and the series that has begun anew goes on. */
export const SUSPECT_AGAIN_MS: DurationMs = 10_000;

export interface NewSeries {
  /** A trade with an id passed on already. True where REST should be asked. */
  suspect(trade: AggTrade): boolean;
  isSuspected(): boolean;
  /** Asks REST: the first minute that belongs to the new series alone; undefined where there is none. */
  ask(): Promise<EpochMs | undefined>;
}

export interface NewSeriesOptions {
  readonly rest: Pick<Rest, 'aggTrades'>;
  readonly sequencer: Pick<Sequencer, 'next' | 'lastTime'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
}

export function createNewSeries(
  symbol: MarketSymbol,
  { rest, sequencer, clock, signal }: NewSeriesOptions,
): NewSeries {
  let isSuspected = false;
  let asked = { next: -1, times: 0, at: 0 as EpochMs };

  /** The clock may be set either way. */
  function isTooOften(): boolean {
    return asked.times >= SUSPICIONS_MAX && Math.abs(clock.now() - asked.at) < SUSPECT_AGAIN_MS;
  }

  return {
    suspect({ tradeTime }) {
      const next = sequencer.next() ?? -1;
      // Before the first trade of a series nothing is known of its times.
      if (sequencer.lastTime() === 0 || tradeTime <= sequencer.lastTime() + LATER_MS) return false;
      if (asked.next !== next) asked = { next, times: 0, at: clock.now() };
      isSuspected = !isTooOften();
      return isSuspected;
    },
    isSuspected: () => isSuspected,
    async ask() {
      isSuspected = false;
      asked = { ...asked, times: asked.times + 1, at: clock.now() };
      const asking = { priority: 'urgent', signal } as const;
      const latest = (await rest.aggTrades(symbol, { limit: 1 }, asking)).trades.at(-1);
      const next = sequencer.next();
      if (latest === undefined || next === undefined || latest.aggTradeId >= next) return undefined;
      if (latest.tradeTime <= sequencer.lastTime() + LATER_MS) return undefined;
      return (minuteOf(latest.tradeTime) + MINUTE_MS) as EpochMs;
    },
  };
}

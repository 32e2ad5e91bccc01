// Puts one symbol's trades in the order of their ids: each id once, no holes. No I/O and no clock; it never guesses, it says what is missing.
import type { AggTrade } from '../../core/market/agg-trade.ts';

/** Trades of one symbol kept while an earlier one is missing. At the limit newer ones are not kept: they are fetched by id later. */
export const HELD_TRADES_MAX = 100_000;

/** Ids from `from` to `to`, both inclusive. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

export type Sequenced =
  /** In order, each id following the last one passed on. */
  | { readonly type: 'ready'; readonly trades: readonly AggTrade[] }
  | { readonly type: 'duplicate' }
  /** Held: what lies before it is missing. */
  | { readonly type: 'gap'; readonly gap: Gap }
  /** Held: where the series begins is not known yet. */
  | { readonly type: 'waiting' }
  /** Not held: `HELD_TRADES_MAX` are. */
  | { readonly type: 'full' };

export interface Sequencer {
  /** Lowest id not passed on; undefined before `begin`. */
  next(): number | undefined;
  heldCount(): number;
  /** Keeps the trade by reference. */
  accept(trade: AggTrade): Sequenced;
  /** Forgets where the series was: everything is held until `begin`. */
  suspend(): void;
  /** The series goes on at `next`: what is held below is dropped, what follows it without a hole is answered. */
  begin(next: number): readonly AggTrade[];
  /** Lowest id held; undefined where none is. */
  lowestHeld(): number | undefined;
  /** What is missing before the lowest trade held; undefined where nothing is held or known. */
  missing(): Gap | undefined;
}

export function createSequencer(heldMax = HELD_TRADES_MAX): Sequencer {
  const held = new Map<number, AggTrade>();
  let next: number | undefined;
  let lowestHeld = Number.POSITIVE_INFINITY;

  function release(ready: AggTrade[]): readonly AggTrade[] {
    if (next === undefined || lowestHeld !== next) return ready;
    for (let trade = held.get(next); trade !== undefined; trade = held.get(next)) {
      held.delete(next);
      ready.push(trade);
      next += 1;
    }
    lowestHeld = lowestOf(held);
    return ready;
  }

  function hold(trade: AggTrade): Sequenced | undefined {
    if (held.has(trade.aggTradeId)) return { type: 'duplicate' };
    if (held.size >= heldMax) return { type: 'full' };
    held.set(trade.aggTradeId, trade);
    lowestHeld = Math.min(lowestHeld, trade.aggTradeId);
    return undefined;
  }

  return {
    next: () => next,
    heldCount: () => held.size,
    accept(trade) {
      if (next === undefined) return hold(trade) ?? { type: 'waiting' };
      if (trade.aggTradeId < next) return { type: 'duplicate' };
      if (trade.aggTradeId > next) {
        return hold(trade) ?? { type: 'gap', gap: { from: next, to: lowestHeld - 1 } };
      }
      next += 1;
      return { type: 'ready', trades: release([trade]) };
    },
    suspend() {
      next = undefined;
    },
    begin(first) {
      next = first;
      for (const id of held.keys()) if (id < first) held.delete(id);
      lowestHeld = lowestOf(held);
      return release([]);
    },
    lowestHeld: () => (held.size === 0 ? undefined : lowestHeld),
    missing() {
      if (next === undefined || held.size === 0) return undefined;
      return { from: next, to: lowestHeld - 1 };
    },
  };
}

function lowestOf(held: ReadonlyMap<number, AggTrade>): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const id of held.keys()) if (id < lowest) lowest = id;
  return lowest;
}

// Puts one symbol's trades in the order of their ids: each id once, no holes. No I/O and no clock; it never guesses, it says what is missing
// or in doubt. A trade without price or quantity uses up its id like any other.
import { type AggTrade, isVoid } from '../../core/market/agg-trade.ts';

/** Trades of one symbol kept while an earlier one is missing. At the limit newer ones are not kept, and the hole is passed over. */
export const HELD_TRADES_MAX = 100_000;

/** Ids from `from` to `to`, both inclusive. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

export type Sequenced =
  /** In order, each id following the last one passed on. */
  | { readonly type: 'ready'; readonly trades: readonly AggTrade[] }
  /** Passed on or held already. */
  | { readonly type: 'duplicate' }
  /** Held: what lies before it is missing, or it is in doubt itself. */
  | { readonly type: 'gap'; readonly gap: Gap }
  /** Held: where the series begins is not known yet. */
  | { readonly type: 'waiting' }
  /** Not held: `HELD_TRADES_MAX` are. */
  | { readonly type: 'full' };

/** Whose word a trade is: what REST says settles a doubt. */
export type Via = 'stream' | 'rest';

export interface SequencerOptions {
  readonly heldMax?: number;
  /** A trade passes on whose first single trade does not follow the last one of the trade before it. */
  readonly onJump?: (trade: AggTrade, expected: number) => void;
}

export interface Sequencer {
  /** Lowest id not passed on; undefined before `begin`. */
  next(): number | undefined;
  /** Trade time of the last one passed on; 0 before the first. */
  lastTime(): number;
  heldCount(): number;
  /**
   * Keeps the trade by reference. One from the stream is in doubt where its single trades do not
   * follow those of the trade before it, or where the same id came with other contents: it waits for REST's.
   */
  accept(trade: AggTrade, via?: Via): Sequenced;
  /** Forgets where the series was: everything is held until `begin`. */
  suspend(): void;
  /** Forgets all: another series of ids begins. */
  restart(): void;
  /** The series goes on at `next`: what is held below is dropped; there nothing is in doubt. What follows it without a hole is answered. */
  begin(next: number): readonly AggTrade[];
  /** Lowest id held; undefined where none is. */
  lowestHeld(): number | undefined;
  held(id: number): AggTrade | undefined;
  /** It is no trade: as if it had never come. */
  forget(id: number): void;
  /** What is missing before the lowest trade held, or that one itself where it is in doubt; undefined where nothing is held or known. */
  missing(): Gap | undefined;
}

interface Held {
  readonly trade: AggTrade;
  /** REST's, or asked for and not to be had: its contents are taken as they are. */
  readonly isSettled: boolean;
  /** Came twice with other contents. */
  readonly isDisputed: boolean;
}

export function createSequencer(options: SequencerOptions = {}): Sequencer {
  const { heldMax = HELD_TRADES_MAX, onJump } = options;
  const held = new Map<number, Held>();
  let next: number | undefined;
  let lowestHeld = Number.POSITIVE_INFINITY;
  /** `l` of the last trade passed on; undefined where the next one's `f` may be any. */
  let lastTradeId: number | undefined;
  let lastTime = 0;

  function follows({ firstTradeId }: AggTrade): boolean {
    return lastTradeId === undefined || firstTradeId === lastTradeId + 1;
  }

  function pass(trade: AggTrade, ready: AggTrade[]): void {
    const isNone = isVoid(trade);
    if (!isNone && !follows(trade)) onJump?.(trade, (lastTradeId ?? 0) + 1);
    // After an id without a trade the next one's single trades may be any.
    lastTradeId = isNone ? undefined : trade.lastTradeId;
    lastTime = trade.tradeTime;
    next = trade.aggTradeId + 1;
    ready.push(trade);
  }

  function isFree({ trade, isSettled, isDisputed }: Held): boolean {
    return isSettled || (!isDisputed && follows(trade));
  }

  function release(ready: AggTrade[]): readonly AggTrade[] {
    if (next === undefined || lowestHeld !== next) return ready;
    const before = next;
    for (let one = held.get(next); one !== undefined && isFree(one); one = held.get(next)) {
      held.delete(next);
      pass(one.trade, ready);
    }
    if (next !== before) lowestHeld = lowestOf(held);
    return ready;
  }

  function hold(trade: AggTrade, via: Via): Sequenced | undefined {
    const known = held.get(trade.aggTradeId);
    if (known !== undefined) return meet(known, trade, via);
    if (held.size >= heldMax) return { type: 'full' };
    held.set(trade.aggTradeId, { trade, isSettled: via === 'rest', isDisputed: false });
    lowestHeld = Math.min(lowestHeld, trade.aggTradeId);
    return undefined;
  }

  /** The same id again, while it is held. */
  function meet(known: Held, trade: AggTrade, via: Via): Sequenced | undefined {
    if (known.isSettled) return { type: 'duplicate' };
    if (via === 'rest') {
      held.set(trade.aggTradeId, { trade, isSettled: true, isDisputed: false });
      return undefined;
    }
    if (sameTrade(known.trade, trade)) return { type: 'duplicate' };
    held.set(trade.aggTradeId, { ...known, isDisputed: true });
    return undefined;
  }

  function missing(): Gap | undefined {
    if (next === undefined || held.size === 0) return undefined;
    return { from: next, to: Math.max(next, lowestHeld - 1) };
  }

  return {
    next: () => next,
    lastTime: () => lastTime,
    heldCount: () => held.size,
    accept(trade, via = 'stream') {
      if (next === undefined) return hold(trade, via) ?? { type: 'waiting' };
      if (trade.aggTradeId < next) return { type: 'duplicate' };
      if (trade.aggTradeId === next && lowestHeld !== next && (via === 'rest' || follows(trade))) {
        const ready: AggTrade[] = [];
        pass(trade, ready);
        return { type: 'ready', trades: release(ready) };
      }
      const refused = hold(trade, via);
      if (refused !== undefined) return refused;
      const trades = release([]);
      if (trades.length > 0) return { type: 'ready', trades };
      return { type: 'gap', gap: missing() ?? { from: next, to: next } };
    },
    suspend() {
      next = undefined;
    },
    restart() {
      next = undefined;
      lastTradeId = undefined;
      lastTime = 0;
      held.clear();
      lowestHeld = Number.POSITIVE_INFINITY;
    },
    begin(first) {
      if (first !== next) lastTradeId = undefined;
      next = first;
      for (const id of held.keys()) if (id < first) held.delete(id);
      const one = held.get(first);
      if (one !== undefined) held.set(first, { ...one, isSettled: true });
      lowestHeld = lowestOf(held);
      return release([]);
    },
    lowestHeld: () => (held.size === 0 ? undefined : lowestHeld),
    held: (id) => held.get(id)?.trade,
    forget(id) {
      held.delete(id);
      lowestHeld = lowestOf(held);
    },
    missing,
  };
}

/** But for the time of sending, which REST does not know. */
function sameTrade(a: AggTrade, b: AggTrade): boolean {
  return (
    a.priceInteger === b.priceInteger &&
    a.priceFraction === b.priceFraction &&
    a.quantityInteger === b.quantityInteger &&
    a.quantityFraction === b.quantityFraction &&
    a.firstTradeId === b.firstTradeId &&
    a.lastTradeId === b.lastTradeId &&
    a.tradeTime === b.tradeTime &&
    a.buyerIsMaker === b.buyerIsMaker
  );
}

function lowestOf(held: ReadonlyMap<number, unknown>): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const id of held.keys()) if (id < lowest) lowest = id;
  return lowest;
}

// The read model behind `LiveMarket`: what is newest, whatever order the topics were read in. Pure state, no I/O, no clock.
import type { Audit } from '../../core/audit/audit.ts';
import type { AggTrade } from '../../core/market/agg-trade.ts';
import type { Candle, LiveCandle } from '../../core/market/candle.ts';
import type { FeedStatus } from '../../core/market/feed-status.ts';
import { INTERVALS, type Interval } from '../../core/market/interval.ts';
import type { Listing, SymbolWish } from '../../core/market/listing.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { LiveMarket, MarketEvent } from '../live-market.ts';
import { AuditTail } from './audit-tail.ts';
import { CandleTail } from './candle-tail.ts';
import { TradeTail } from './trade-tail.ts';

const INDEX = new Map<Interval, number>(INTERVALS.map((interval, index) => [interval, index]));

interface SymbolState {
  readonly live: (LiveCandle | undefined)[];
  readonly tails: (CandleTail | undefined)[];
  trades: TradeTail | undefined;
  audits: AuditTail | undefined;
}

/** `apply…` take what the topics say and tell the listeners what is new; what is old or known is dropped. */
export class MarketModel implements LiveMarket {
  readonly #symbols = new Map<MarketSymbol, SymbolState>();
  /** Removed by the user: what is still under way of them is dropped. */
  readonly #removed = new Set<MarketSymbol>();
  readonly #listings = new Map<MarketSymbol, Listing>();
  readonly #listeners = new Set<(event: MarketEvent) => void>();
  #status: FeedStatus | undefined;

  constructor(symbols: readonly MarketSymbol[]) {
    for (const symbol of symbols) this.#symbols.set(symbol, emptyState());
  }

  symbols(): readonly MarketSymbol[] {
    return [...this.#symbols.keys()];
  }

  live(symbol: MarketSymbol, interval: Interval): LiveCandle | undefined {
    return this.#symbols.get(symbol)?.live[indexOf(interval)];
  }

  closedTail(symbol: MarketSymbol, interval: Interval): readonly Candle[] {
    return this.#symbols.get(symbol)?.tails[indexOf(interval)]?.list() ?? [];
  }

  recentTrades(symbol: MarketSymbol): readonly AggTrade[] {
    return this.#symbols.get(symbol)?.trades?.list() ?? [];
  }

  auditTail(symbol: MarketSymbol): readonly Audit[] {
    return this.#symbols.get(symbol)?.audits?.list() ?? [];
  }

  listings(): ReadonlyMap<MarketSymbol, Listing> {
    return this.#listings;
  }

  status(): FeedStatus | undefined {
    return this.#status;
  }

  subscribe(listener: (event: MarketEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  applyLive(candle: LiveCandle): void {
    if (this.#removed.has(candle.symbol)) return;
    const state = this.#state(candle.symbol);
    const index = indexOf(candle.interval);
    // Closed meanwhile: the closed record says the same or more.
    if (candle.openTime <= (state.tails[index]?.newestOpenTime ?? -1)) return;
    const held = state.live[index];
    if (held !== undefined && isOlder(candle, held)) return;
    state.live[index] = candle;
    this.#emit({ type: 'live', candle });
  }

  applyClosed(candle: Candle): void {
    if (this.#removed.has(candle.symbol)) return;
    const state = this.#state(candle.symbol);
    const index = indexOf(candle.interval);
    const tail = state.tails[index] ?? new CandleTail(candle.symbol, candle.interval);
    state.tails[index] = tail;
    if (!tail.put(candle)) return;
    const live = state.live[index];
    if (live !== undefined && live.openTime <= tail.newestOpenTime) state.live[index] = undefined;
    this.#emit({ type: 'closed', candle });
  }

  applyTrade(trade: AggTrade): void {
    if (this.#removed.has(trade.symbol)) return;
    const state = this.#state(trade.symbol);
    state.trades ??= new TradeTail(trade.symbol);
    if (state.trades.put(trade)) this.#emit({ type: 'trade', trade });
  }

  applyAudit(audit: Audit): void {
    if (this.#removed.has(audit.symbol)) return;
    const state = this.#state(audit.symbol);
    state.audits ??= new AuditTail();
    if (state.audits.put(audit)) this.#emit({ type: 'audit', audit });
  }

  applyListing(listing: Listing): void {
    this.#listings.set(listing.symbol, listing);
  }

  /** Its stored candles stay; what is held here goes with the symbol. */
  applyWish({ symbol, wanted }: SymbolWish): void {
    if (wanted) {
      this.#removed.delete(symbol);
      this.#state(symbol);
      return;
    }
    this.#removed.add(symbol);
    if (this.#symbols.delete(symbol)) this.#emit({ type: 'symbols', symbols: this.symbols() });
  }

  applyStatus(status: FeedStatus): void {
    this.#status = status;
    this.#emit({ type: 'status', status });
  }

  #state(symbol: MarketSymbol): SymbolState {
    const held = this.#symbols.get(symbol);
    if (held !== undefined) return held;
    const state = emptyState();
    this.#symbols.set(symbol, state);
    this.#emit({ type: 'symbols', symbols: this.symbols() });
    return state;
  }

  #emit(event: MarketEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function emptyState(): SymbolState {
  return { live: [], tails: [], trades: undefined, audits: undefined };
}

function indexOf(interval: Interval): number {
  return INDEX.get(interval) ?? 0;
}

function isOlder(candle: LiveCandle, held: LiveCandle): boolean {
  if (candle.openTime !== held.openTime) return candle.openTime < held.openTime;
  if (candle.revision !== held.revision) return candle.revision < held.revision;
  if (candle.closed !== held.closed) return held.closed;
  return candle.lastAggTradeId < held.lastAggTradeId;
}

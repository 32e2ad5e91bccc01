// The audit's standing by symbol and UTC day: read from the store once, then kept by the market's events. Judges no candle.
import type { MarketSymbol } from '../core/market/symbol.ts';
import { addMs, DAY_MS, type EpochMs } from '../core/market/time.ts';
import type { LiveMarket, MarketEvent } from '../stages/live-market.ts';
import type { CandleStore } from '../store/candle-store.ts';
import { DayTally, dayOf } from './day-tally.ts';

/** Symbols whose day is held, some 0.5 MB each; beyond it the one asked for longest ago is let go, and read anew when asked for. */
export const TALLIES_MAX = 64;

const DAY_MINUTES = 1_440;

interface Held {
  readonly tally: DayTally;
  readonly loaded: Promise<void>;
}

export class AuditDays implements Disposable {
  readonly #market: LiveMarket;
  readonly #store: CandleStore;
  readonly #unsubscribe: () => void;
  readonly #listeners = new Set<(symbol: MarketSymbol) => void>();
  /** In the order they were asked for. */
  readonly #held = new Map<MarketSymbol, Held>();

  constructor(market: LiveMarket, store: CandleStore) {
    this.#market = market;
    this.#store = store;
    this.#unsubscribe = market.subscribe((event) => this.#apply(event));
  }

  /**
   * Of the newest day that has a closed minute.
   * @throws what the store throws; the next call tries anew.
   */
  async newest(symbol: MarketSymbol): Promise<ReturnType<DayTally['standing']>> {
    const held = this.#held.get(symbol) ?? this.#load(symbol);
    this.#held.delete(symbol);
    this.#held.set(symbol, held);
    this.#letGo();
    try {
      await held.loaded;
    } catch (error) {
      if (this.#held.get(symbol) === held) this.#held.delete(symbol);
      throw error;
    }
    return held.tally.standing();
  }

  /**
   * Of the day that holds `time`, read from the store each time.
   * @throws what the store throws.
   */
  async on(symbol: MarketSymbol, time: EpochMs): Promise<ReturnType<DayTally['standing']>> {
    const tally = new DayTally();
    await this.#read(tally, symbol, dayOf(time));
    return tally.standing();
  }

  /** Called when a held symbol's standing may have changed; must not throw. Returns the way to stop. */
  onChange(listener: (symbol: MarketSymbol) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    this.#held.clear();
  }

  #load(symbol: MarketSymbol): Held {
    // Events are taken in from now on; what the store has of the same minutes is older or the same.
    const tally = new DayTally();
    return { tally, loaded: this.#loadNewest(tally, symbol) };
  }

  async #loadNewest(tally: DayTally, symbol: MarketSymbol): Promise<void> {
    const stored = await this.#store.lastOpenTime(symbol, '1m');
    const live = this.#market.closedTail(symbol, '1m').at(-1)?.openTime;
    const newest = Math.max(stored ?? -1, live ?? -1);
    if (newest >= 0) await this.#read(tally, symbol, dayOf(newest as EpochMs));
  }

  async #read(tally: DayTally, symbol: MarketSymbol, day: EpochMs): Promise<void> {
    const to = addMs(day, DAY_MS - 1);
    const query = { symbol, from: day, to, limit: DAY_MINUTES, take: 'first' } as const;
    const candles = await this.#store.read({ ...query, interval: '1m' });
    const audits = await this.#store.readAudits(query);
    const isOfDay = ({ openTime }: { readonly openTime: EpochMs }) => dayOf(openTime) === day;
    for (const candle of candles) tally.putCandle(candle);
    for (const candle of this.#market.closedTail(symbol, '1m')) {
      if (isOfDay(candle)) tally.putCandle(candle);
    }
    for (const audit of audits) tally.putAudit(audit);
    for (const audit of this.#market.auditTail(symbol)) if (isOfDay(audit)) tally.putAudit(audit);
  }

  #letGo(): void {
    if (this.#held.size <= TALLIES_MAX) return;
    const [longestAgo] = this.#held.keys();
    if (longestAgo !== undefined) this.#held.delete(longestAgo);
  }

  #apply(event: MarketEvent): void {
    if (event.type === 'closed' && event.candle.interval === '1m') {
      const { candle } = event;
      if (this.#held.get(candle.symbol)?.tally.putCandle(candle)) this.#tell(candle.symbol);
    } else if (event.type === 'audit') {
      const { audit } = event;
      if (this.#held.get(audit.symbol)?.tally.putAudit(audit)) this.#tell(audit.symbol);
    }
  }

  #tell(symbol: MarketSymbol): void {
    for (const listener of this.#listeners) listener(symbol);
  }
}

// A candle store that is a map: for tests that want a store they can hold up or break. Not an adapter.
import type { Audit } from '../../core/audit/audit.ts';
import type { Candle } from '../../core/market/candle.ts';
import type { SymbolWish } from '../../core/market/listing.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import { plainTrades } from './plain-trades.ts';

export interface PlainStore extends CandleStore {
  /** Awaited before each read: a test sets it to hold reads up, or to fail them. */
  beforeRead: () => Promise<void>;
}

export function plainStore(): PlainStore {
  const candles = new Map<string, Candle>();
  const audits = new Map<string, Audit>();
  const wishes = new Map<string, SymbolWish>();
  const trades = plainTrades();
  const all = (symbol: string, interval: string): Candle[] =>
    [...candles.values()]
      .filter((candle) => candle.symbol === symbol && candle.interval === interval)
      .sort((a, b) => a.openTime - b.openTime);
  const store: PlainStore = {
    beforeRead: async () => undefined,
    trades,
    async write(written, writtenTrades = []) {
      trades.write(writtenTrades);
      for (const candle of written) {
        const key = `${candle.symbol} ${candle.interval} ${candle.openTime}`;
        const held = candles.get(key);
        if (held === undefined || candle.revision > held.revision) candles.set(key, candle);
      }
    },
    async read({ symbol, interval, from = 0, to = Number.MAX_SAFE_INTEGER, limit, take }) {
      const found = all(symbol, interval).filter(
        ({ openTime }) => openTime >= from && openTime <= to,
      );
      await store.beforeRead();
      return take === 'first' ? found.slice(0, limit) : found.slice(-limit);
    },
    async lastOpenTime(symbol, interval) {
      await store.beforeRead();
      return all(symbol, interval).at(-1)?.openTime;
    },
    async symbols() {
      return [...new Set([...candles.values()].map(({ symbol }) => symbol))].sort();
    },
    bytes: async () => 12_345_678,
    async holes() {
      return [];
    },
    async prune() {
      return 0;
    },
    async writeAudits(written) {
      for (const audit of written) audits.set(`${audit.symbol} ${audit.openTime}`, audit);
    },
    async readAudits({ symbol, from = 0, to = Number.MAX_SAFE_INTEGER, limit, take }) {
      await store.beforeRead();
      const found = [...audits.values()]
        .filter((one) => one.symbol === symbol && one.openTime >= from && one.openTime <= to)
        .sort((a, b) => a.openTime - b.openTime);
      return take === 'first' ? found.slice(0, limit) : found.slice(-limit);
    },
    async countAudits(query) {
      const found = await store.readAudits({
        ...query,
        limit: Number.MAX_SAFE_INTEGER,
        take: 'first',
      });
      const counts = { verified: 0, repaired: 0, differs: 0, unverified: 0 };
      for (const { verdict } of found) counts[verdict] += 1;
      return counts;
    },
    async writeSymbolWish(wish) {
      wishes.set(wish.symbol, wish);
    },
    async symbolWishes() {
      return [...wishes.values()].sort((a, b) => a.symbol.localeCompare(b.symbol));
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  return store;
}

// Kept trades that are a map, with the store's rule of who replaces whom: for test stores that are none. Not an adapter.
import { type AggTrade, isVoid } from '../../core/market/agg-trade.ts';
import type { KeptTrades } from '../../store/candle-store.ts';

export interface PlainTrades extends KeptTrades {
  write(trades: readonly AggTrade[]): void;
}

export function plainTrades(): PlainTrades {
  const held = new Map<string, AggTrade>();
  const of = (symbol: string): AggTrade[] =>
    [...held.values()]
      .filter((trade) => trade.symbol === symbol)
      .sort((a, b) => a.aggTradeId - b.aggTradeId);
  return {
    write(trades) {
      for (const trade of trades) {
        const key = `${trade.symbol} ${trade.aggTradeId}`;
        const known = held.get(key);
        if (known === undefined || (isVoid(known) && !isVoid(trade))) held.set(key, trade);
      }
    },
    async read({ symbol, fromId = 0, toId = Number.MAX_SAFE_INTEGER, limit, take }) {
      const found = of(symbol).filter(
        ({ aggTradeId }) => aggTradeId >= fromId && aggTradeId <= toId,
      );
      return take === 'first' ? found.slice(0, limit) : found.slice(-limit);
    },
    async idAt(symbol, time, side) {
      const all = of(symbol);
      const found =
        side === 'from'
          ? all.find(({ tradeTime }) => tradeTime >= time)
          : all.findLast(({ tradeTime }) => tradeTime <= time);
      return found?.aggTradeId;
    },
    async prune({ symbol, before, limit }) {
      let count = 0;
      for (const [key, trade] of held) {
        const isOf = symbol === undefined || trade.symbol === symbol;
        if (!isOf || trade.tradeTime >= before || count === limit) continue;
        held.delete(key);
        count += 1;
      }
      return count;
    },
  };
}

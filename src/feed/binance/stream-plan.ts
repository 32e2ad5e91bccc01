// Which streams a symbol needs, and which connection carries it. Pure.
import type { MarketSymbol } from '../../core/market/symbol.ts';

/**
 * Symbols on one connection: half of what fits, so that symbols can come and go there, a connection's
 * end concerns fewer of them, and its subscription takes 3 messages.
 */
export const SYMBOLS_A_CONNECTION_MAX = 250;

/**
 * Symbols whose seconds a connection carries so that it is never silent: the exchange sends each
 * symbol's 1s candle every second, changed or over, with trades or without. Only a symbol that is halted
 * falls silent; hence two, of the connection's own: one that was removed or halted needs the other.
 */
export const PULSES = 2;

/** What must be confirmed before a symbol's live trades and closed minutes are sure to come. */
export function streamsOf(symbol: MarketSymbol): readonly string[] {
  const name = symbol.toLowerCase();
  return [`${name}@aggTrade`, `${name}@kline_1m`];
}

/** All streams of a connection that carries `symbols`, the pulses first. */
export function connectionStreams(symbols: readonly MarketSymbol[]): readonly string[] {
  const pulses = symbols.slice(0, PULSES).map((symbol) => `${symbol.toLowerCase()}@kline_1s`);
  return [...pulses, ...symbols.flatMap(streamsOf)];
}

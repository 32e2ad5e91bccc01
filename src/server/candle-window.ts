// One window of candles from all who know some: the store, the newest closed ones, the open one. The newest state of each wins.
import type { Interval } from '../core/market/interval.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { EpochMs } from '../core/market/time.ts';
import type { LiveMarket } from '../stages/live-market.ts';
import type { CandleQuery, CandleStore } from '../store/candle-store.ts';
import {
  type NextQuery,
  type PageQuery,
  readNextPage,
  readStoredPage,
} from '../store/stored-page.ts';
import { type AnyCandle, isClosed } from './candle-row.ts';

/** Of two states of one candle the truer: the higher revision, then closed before open, then the later seen. */
export function newerCandle(held: AnyCandle, seen: AnyCandle): AnyCandle {
  if (held.revision !== seen.revision) return held.revision > seen.revision ? held : seen;
  if (isClosed(held) !== isClosed(seen)) return isClosed(held) ? held : seen;
  return seen;
}

/** Every candle once, ascending by open time, each in its newest state. Later lists count as seen later. */
export function mergeCandles(...lists: readonly Iterable<AnyCandle>[]): readonly AnyCandle[] {
  const byOpenTime = new Map<EpochMs, AnyCandle>();
  for (const list of lists) {
    for (const candle of list) {
      const held = byOpenTime.get(candle.openTime);
      byOpenTime.set(candle.openTime, held === undefined ? candle : newerCandle(held, candle));
    }
  }
  return [...byOpenTime.values()].sort((a, b) => a.openTime - b.openTime);
}

/** What the live market knows of a symbol and interval: closed tail, then the open candle. */
export function liveCandles(
  market: LiveMarket,
  symbol: MarketSymbol,
  interval: Interval,
): readonly AnyCandle[] {
  const live = market.live(symbol, interval);
  const tail = market.closedTail(symbol, interval);
  return live === undefined ? tail : [...tail, live];
}

/** As the store's `read`, with the newest candles the store may not have yet, the open one included. */
export async function readCandles(
  store: CandleStore,
  market: LiveMarket,
  query: CandleQuery,
): Promise<readonly AnyCandle[]> {
  const stored = await store.read(query);
  const { symbol, interval, limit, take, from = 0, to = Number.MAX_SAFE_INTEGER } = query;
  const live = liveCandles(market, symbol, interval).filter(
    ({ openTime }) => openTime >= from && openTime <= to,
  );
  const merged = mergeCandles(stored, live);
  return take === 'first' ? merged.slice(0, limit) : merged.slice(-limit);
}

/** The newest `limit` up to `to`, of any interval; `more`: there are older ones. */
export async function readCandlePage(
  store: CandleStore,
  market: LiveMarket,
  query: PageQuery,
): Promise<{ readonly candles: readonly AnyCandle[]; readonly more: boolean }> {
  const { symbol, interval, to = Number.MAX_SAFE_INTEGER, limit } = query;
  const stored = await readStoredPage(store, { ...query, limit: limit + 1 });
  const from = stored.isCut ? (stored.candles[0]?.openTime ?? 0) : 0;
  const live = liveCandles(market, symbol, interval).filter(
    ({ openTime }) => openTime >= from && openTime <= to,
  );
  const merged = mergeCandles(stored.candles, live);
  return { candles: merged.slice(-limit), more: stored.isCut || merged.length > limit };
}

/** The oldest up to `limit` from `from` on. */
export async function readNextCandles(
  store: CandleStore,
  market: LiveMarket,
  query: NextQuery,
): Promise<readonly AnyCandle[]> {
  const { symbol, interval, from, limit } = query;
  const stored = await readNextPage(store, query);
  // Of those it has, none may be passed over that the store still holds more before.
  const to = stored.isCut ? (stored.candles.at(-1)?.openTime ?? from) : Number.MAX_SAFE_INTEGER;
  const live = liveCandles(market, symbol, interval).filter(
    ({ openTime }) => openTime >= from && openTime <= to,
  );
  return mergeCandles(stored.candles, live).slice(0, limit);
}

// The calendar of a symbol by what is kept of it. Asks no exchange.
import { type Calendar, DEFAULT_CALENDAR, type Interval } from '../core/market/interval.ts';
import { type MarketSymbol, marketSymbol } from '../core/market/symbol.ts';
import type { CandleStore } from './candle-store.ts';

/** Whose 3d grid is known without asking: BTCUSDT's is the calendar's default. */
const KNOWN_ANCHOR = marketSymbol('BTCUSDT');

/** Undefined for 3d where nothing says which day its windows open: they could be another's. */
export async function calendarOf(
  store: Pick<CandleStore, 'lastOpenTime'>,
  symbol: MarketSymbol,
  interval: Interval,
): Promise<Calendar | undefined> {
  if (interval !== '3d') return DEFAULT_CALENDAR;
  const anchor = await store.lastOpenTime(symbol, '3d');
  if (anchor !== undefined) return { threeDayAnchor: anchor };
  return symbol === KNOWN_ANCHOR ? DEFAULT_CALENDAR : undefined;
}

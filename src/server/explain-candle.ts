// Which trades made a candle's open, high, low and close, out of those kept. Names a trade only where its price is the candle's to the digit; changes nothing.
import { type AggTrade, isVoid, priceOf } from '../core/market/agg-trade.ts';
import type { Decimal } from '../core/market/decimal.ts';
import { INTERVAL_MS, type Interval } from '../core/market/interval.ts';
import { DAY_MS, MINUTE_MS } from '../core/market/time.ts';
import type { LiveMarket } from '../stages/live-market.ts';
import type { CandleStore } from '../store/candle-store.ts';
import type { AnyCandle } from './candle-row.ts';
import { readCandles } from './candle-window.ts';
import { keptTrades, type SymbolTrades } from './trade-window.ts';

/** Trades looked through for one minute; what comes after is not named. */
export const EXPLAIN_TRADES_MAX = 100_000;
/** Minutes of a day, and some more than the days of a month. */
const PARTS_MAX = 1_440;
const PAGE_TRADES = 1_000;

export const EXPLAINED_FIELDS = ['open', 'high', 'low', 'close'] as const;
export type ExplainedField = (typeof EXPLAINED_FIELDS)[number];

export interface Explanation extends Readonly<Record<ExplainedField, AggTrade | undefined>> {
  /** Every trade of the minutes looked through is kept: no other can have made it. */
  readonly complete: boolean;
}

const NOTHING: Explanation = {
  ...{ open: undefined, high: undefined, low: undefined, close: undefined },
  complete: false,
};

export interface ExplainSources {
  readonly store: CandleStore;
  readonly market: LiveMarket;
}

/** @throws what the store throws. */
export async function explainCandle(
  sources: ExplainSources,
  candle: AnyCandle,
): Promise<Explanation> {
  if (candle.trades === 0) return NOTHING;
  const recent = sources.market.recentTrades(candle.symbol);
  const kept = keptTrades(sources.store.trades, candle.symbol, recent);
  const scanned = new Map<number, Promise<Extremes>>();
  const found: Partial<Record<ExplainedField, AggTrade>> = {};
  let complete = true;
  for (const field of EXPLAINED_FIELDS) {
    const part = await partThatMade(sources, candle, field);
    const scanning = scanned.get(part.openTime) ?? scan(kept, part);
    scanned.set(part.openTime, scanning);
    const extremes = await scanning;
    const trade = extremes[field];
    complete &&= extremes.isWhole;
    if (trade !== undefined && priceOf(trade) === candle[field]) found[field] = trade;
  }
  return { ...NOTHING, ...found, complete };
}

/** The minute (or second) within `candle` that has its open, high, low or close; `candle` where none is known. */
async function partThatMade(
  { store, market }: ExplainSources,
  candle: AnyCandle,
  field: ExplainedField,
): Promise<AnyCandle> {
  const interval = partsOf(candle.interval);
  if (interval === undefined) return candle;
  const { symbol, openTime: from, closeTime: to } = candle;
  const query = { symbol, interval, from, to, limit: PARTS_MAX, take: 'first' } as const;
  const parts = (await readCandles(store, market, query)).filter(({ trades }) => trades > 0);
  const part = partWith(parts, candle, field);
  return part === undefined ? candle : partThatMade({ store, market }, part, field);
}

function partsOf(interval: Interval): Interval | undefined {
  const lengthMs = INTERVAL_MS[interval];
  if (lengthMs <= MINUTE_MS) return undefined;
  return lengthMs > DAY_MS ? '1d' : '1m';
}

function partWith(
  parts: readonly AnyCandle[],
  candle: AnyCandle,
  field: ExplainedField,
): AnyCandle | undefined {
  if (field === 'open') return parts[0];
  if (field === 'close') return parts.at(-1);
  return parts.find((part) => part[field] === candle[field]);
}

interface Extremes extends Readonly<Record<ExplainedField, AggTrade | undefined>> {
  readonly isWhole: boolean;
}

async function scan(kept: SymbolTrades, candle: AnyCandle): Promise<Extremes> {
  const { openTime, closeTime, firstTradeId, lastTradeId } = candle;
  const isShort = INTERVAL_MS[candle.interval] <= MINUTE_MS;
  const first = isShort ? await kept.idAt(openTime, 'from') : undefined;
  const last = await kept.idAt(closeTime, 'to');
  if (first === undefined || last === undefined) return { ...NOTHING, isWhole: false };
  const extremes = emptyExtremes();
  const isWhole = await look(kept, first, last, (trade) => {
    if (isOf(trade, candle) && !isVoid(trade)) extremes.take(trade);
  });
  const { open, close } = extremes.values;
  const hasEnds =
    (firstTradeId === undefined || open?.firstTradeId === firstTradeId) &&
    (lastTradeId === undefined || close?.lastTradeId === lastTradeId);
  return { ...extremes.values, isWhole: isWhole && hasEnds };
}

/** Shows every trade that is kept from `first` to `last`; true where none between was missing or too many. */
async function look(
  kept: SymbolTrades,
  first: number,
  last: number,
  show: (trade: AggTrade) => void,
): Promise<boolean> {
  const end = Math.min(last, first + EXPLAIN_TRADES_MAX - 1);
  let isWhole = end === last;
  for (let next = first; next <= end; ) {
    const page = await kept.from(next, Math.min(PAGE_TRADES, end - next + 1));
    const newest = page.at(-1);
    if (newest === undefined) return false;
    isWhole &&= newest.aggTradeId === next + page.length - 1;
    next = newest.aggTradeId + 1;
    for (const trade of page) show(trade);
  }
  return isWhole;
}

function isOf({ tradeTime }: AggTrade, { openTime, closeTime }: AnyCandle): boolean {
  return tradeTime >= openTime && tradeTime <= closeTime;
}

/** Of equal prices the first trade counts. */
function emptyExtremes() {
  const values: Partial<Record<ExplainedField, AggTrade>> = {};
  let [highest, lowest]: [Decimal | undefined, Decimal | undefined] = [undefined, undefined];
  return {
    get values(): Omit<Extremes, 'isWhole'> {
      return { ...NOTHING, ...values };
    },
    take(trade: AggTrade): void {
      const price = priceOf(trade);
      values.open ??= trade;
      values.close = trade;
      if (highest === undefined || price > highest) [highest, values.high] = [price, trade];
      if (lowest === undefined || price < lowest) [lowest, values.low] = [price, trade];
    },
  };
}

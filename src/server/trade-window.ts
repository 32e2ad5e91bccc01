// Which of the kept trades answer a question, by the exchange's rule: the newest in memory, older ones where the store keeps them. Says so where the
// answer would need trades that are not kept: never a page with a hole.
import { type AggTrade, isVoid } from '../core/market/agg-trade.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { EpochMs } from '../core/market/time.ts';
import type { LiveMarket } from '../stages/live-market.ts';
import type { CandleStore, KeptTrades } from '../store/candle-store.ts';

/** `fromId`, or times, both inclusive. */
export interface TradesAsked {
  readonly fromId: number | undefined;
  readonly startTime: EpochMs | undefined;
  readonly endTime: EpochMs | undefined;
  readonly limit: number;
}

/** The parameter that asks for trades that are not kept, and the oldest that is. */
export interface NotKept {
  readonly notKept: 'fromId' | 'startTime' | 'endTime';
  readonly oldest: AggTrade | undefined;
}

export type TradesFound = readonly AggTrade[] | NotKept;

export function isNotKept(found: TradesFound): found is NotKept {
  return 'notKept' in found;
}

/**
 * Ascending by id. No bounds: the newest; `fromId` or `startTime`: the first from there; `endTime`
 * alone: the last up to it.
 * @see binance-spot-api-docs, rest-api.md, "Compressed/Aggregate trades list"
 */
export async function readTrades(
  store: Pick<CandleStore, 'trades'>,
  market: LiveMarket,
  symbol: MarketSymbol,
  asked: TradesAsked,
): Promise<TradesFound> {
  const recent = market.recentTrades(symbol);
  const newest = selectTrades(recent, asked);
  const isFromEnd = asked.fromId === undefined && asked.startTime === undefined;
  // A page from the end may go on before the newest ones.
  if (!isNotKept(newest) && !(isFromEnd && newest.length < asked.limit)) return newest;
  const kept = keptTrades(store.trades, symbol, recent);
  const found = await (isFromEnd ? readLast(kept, asked) : readFirst(kept, asked));
  if (!isNotKept(newest)) return (found?.length ?? 0) > newest.length ? (found ?? newest) : newest;
  if (found !== undefined) return found;
  return { notKept: newest.notKept, oldest: (await kept.oldest()) ?? recent[0] };
}

/** Of `kept`, ascending by id and without holes. */
function selectTrades(
  kept: readonly AggTrade[],
  { fromId, startTime, endTime, limit }: TradesAsked,
): TradesFound {
  const oldest = kept[0];
  if (fromId !== undefined) {
    if (oldest === undefined || fromId < oldest.aggTradeId) return { notKept: 'fromId', oldest };
    return kept.filter(({ aggTradeId }) => aggTradeId >= fromId).slice(0, limit);
  }
  const until = isUntil(endTime);
  if (startTime !== undefined) {
    // Trades of the oldest one's own millisecond may have gone already.
    if (oldest === undefined || startTime <= oldest.tradeTime)
      return { notKept: 'startTime', oldest };
    return kept.filter((trade) => trade.tradeTime >= startTime && until(trade)).slice(0, limit);
  }
  const newest = kept.filter(until).slice(-limit);
  return newest.length === 0 ? { notKept: 'endTime', oldest } : newest;
}

function isUntil(endTime: EpochMs | undefined): (trade: AggTrade) => boolean {
  return ({ tradeTime }) => endTime === undefined || tradeTime <= endTime;
}

/** What the store keeps of a symbol, and the newest after it that it may not have yet. Ids without a trade are among them. */
export interface SymbolTrades {
  /** The first with an id of `fromId` or more; there may be holes. */
  from(fromId: number, limit: number): Promise<readonly AggTrade[]>;
  /** Without holes: from `fromId` on, or up to `toId`. Empty where that id itself is not kept. */
  after(fromId: number, limit: number): Promise<readonly AggTrade[]>;
  before(toId: number, limit: number): Promise<readonly AggTrade[]>;
  has(id: number): Promise<boolean>;
  idAt(time: EpochMs, side: 'from' | 'to'): Promise<number | undefined>;
  newestId(): Promise<number | undefined>;
  oldest(): Promise<AggTrade | undefined>;
}

export function keptTrades(
  stored: KeptTrades,
  symbol: MarketSymbol,
  recent: readonly AggTrade[],
): SymbolTrades {
  const oldestRecent = recent[0]?.aggTradeId ?? Number.POSITIVE_INFINITY;
  const from = async (fromId: number, limit: number): Promise<readonly AggTrade[]> => {
    const rows = await stored.read({ symbol, fromId, limit, take: 'first' });
    const nextId = (rows.at(-1)?.aggTradeId ?? fromId - 1) + 1;
    return [...rows, ...recent.filter(({ aggTradeId }) => aggTradeId >= nextId)].slice(0, limit);
  };
  return {
    from,
    after: async (fromId, limit) => withoutHoles(await from(fromId, limit), fromId),
    async before(toId, limit) {
      const rows = await stored.read({ symbol, toId, limit, take: 'last' });
      const lastId = rows.at(-1)?.aggTradeId ?? -1;
      const rest = recent.filter(({ aggTradeId }) => aggTradeId > lastId && aggTradeId <= toId);
      const reversed = [...rows, ...rest].slice(-limit).reverse();
      const end = reversed.findIndex(({ aggTradeId }, index) => aggTradeId !== toId - index);
      return (end === -1 ? reversed : reversed.slice(0, end)).reverse();
    },
    async has(id) {
      if (id >= oldestRecent && id <= (recent.at(-1)?.aggTradeId ?? -1)) return true;
      return (
        (await stored.read({ symbol, fromId: id, toId: id, limit: 1, take: 'first' })).length > 0
      );
    },
    async idAt(time, side) {
      const id = await stored.idAt(symbol, time, side);
      const seen =
        side === 'from'
          ? recent.find(({ tradeTime }) => tradeTime >= time)
          : recent.findLast(({ tradeTime }) => tradeTime <= time);
      if (id === undefined || seen === undefined) return id ?? seen?.aggTradeId;
      return side === 'from' ? Math.min(id, seen.aggTradeId) : Math.max(id, seen.aggTradeId);
    },
    async newestId() {
      const [last] = await stored.read({ symbol, limit: 1, take: 'last' });
      return recent.at(-1)?.aggTradeId ?? last?.aggTradeId;
    },
    async oldest() {
      return (await stored.read({ symbol, limit: 1, take: 'first' }))[0];
    },
  };
}

function withoutHoles(trades: readonly AggTrade[], fromId: number): readonly AggTrade[] {
  const end = trades.findIndex(({ aggTradeId }, index) => aggTradeId !== fromId + index);
  return end === -1 ? trades : trades.slice(0, end);
}

/** Undefined where it would need what is not kept. */
async function readFirst(
  kept: SymbolTrades,
  { fromId, startTime, endTime, limit }: TradesAsked,
): Promise<readonly AggTrade[] | undefined> {
  const first =
    fromId ?? (startTime === undefined ? undefined : await kept.idAt(startTime, 'from'));
  if (first === undefined) return undefined;
  // Of a time it is known only by the trade before it that none is missing.
  if (fromId === undefined && !(await kept.has(first - 1))) return undefined;
  const isWanted = isUntil(endTime);
  const found: AggTrade[] = [];
  for (let next = first; found.length < limit; ) {
    const page = await kept.after(next, limit);
    if (next === first && page.length === 0) return (await kept.has(first - 1)) ? [] : undefined;
    found.push(...page.filter((trade) => !isVoid(trade) && isWanted(trade)));
    next += page.length;
    if (page.length < limit || !page.every(isWanted)) break;
  }
  return found.slice(0, limit);
}

async function readLast(
  kept: SymbolTrades,
  { endTime, limit }: TradesAsked,
): Promise<readonly AggTrade[] | undefined> {
  const last = await (endTime === undefined ? kept.newestId() : kept.idAt(endTime, 'to'));
  if (last === undefined) return undefined;
  // Of a time it is known only by the trade after it that none is missing.
  const isEnd = last === (await kept.newestId()) || (await kept.has(last + 1));
  if (!isEnd) return undefined;
  const page = await kept.before(last, limit);
  const found = page.filter((trade) => !isVoid(trade) && isUntil(endTime)(trade));
  return found.length === 0 ? undefined : found;
}

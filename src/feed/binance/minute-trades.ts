// All trades of one past minute by REST: whole, or why not. It proves what it answers: ids without a hole, a trade known before and after.
import { type AggTrade, isVoid } from '../../core/market/agg-trade.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { addMs, type DurationMs, type EpochMs, MINUTE_MS } from '../../core/market/time.ts';
import { PAGE_ROWS_MAX, type Rest } from './rest.ts';
import type { Priority } from './weight-budget.ts';

/** Pages read for one minute: 100,000 trades, ten times the busiest seen. At the limit the minute counts as not to be had. */
export const MINUTE_PAGES_MAX = 100;
/** Ids ascend with time but for neighbours: none of the minute's trades is looked for so far past its end, nor so many ids before it. */
const STRAGGLER_MS: DurationMs = 1_000;
const STRAGGLER_IDS = 10;

export type MinuteTrades =
  /** Every trade of the minute, ascending by id; none: it exists without trades. */
  | {
      readonly type: 'whole';
      readonly trades: readonly AggTrade[];
      /** Of the first one after the minute; undefined where there is none yet. */
      readonly nextTradeTime: EpochMs | undefined;
    }
  /** The exchange has no such minute. */
  | { readonly type: 'absent' }
  /** REST lags: nothing proves yet that no trade of the minute is still to come. */
  | { readonly type: 'not-yet' }
  /** Asked now, the exchange has not got them all. */
  | { readonly type: 'missing'; readonly reason: string };

export interface AskingMinute {
  readonly rest: Rest;
  readonly priority: Priority;
  readonly signal: AbortSignal;
}

export async function fetchMinuteTrades(
  symbol: MarketSymbol,
  openTime: EpochMs,
  { rest, ...asking }: AskingMinute,
): Promise<MinuteTrades> {
  const end = addMs(openTime, MINUTE_MS);
  const from = await idBefore();
  const read: Read = from === undefined ? { type: 'read', trades: [] } : await readFrom(from);
  if (read.type === 'missing') return read;
  const isOurs = ({ tradeTime }: AggTrade) => tradeTime >= openTime && tradeTime < end;
  const trades = read.trades.filter((trade) => isOurs(trade) && !isVoid(trade));
  const nextTradeTime = firstTimeAfter(read.trades);
  const isFollowed = read.trades.some(({ tradeTime }) => tradeTime >= end);
  if (isFollowed && trades.length > 0) return { type: 'whole', trades, nextTradeTime };
  return byKline(trades, isFollowed);

  /** Ids of neighbours may swap their times. */
  function firstTimeAfter(all: readonly AggTrade[]): EpochMs | undefined {
    const times = all.filter((trade) => trade.tradeTime >= end && !isVoid(trade));
    return times.reduce<EpochMs | undefined>(
      (first, { tradeTime }) => (first === undefined || tradeTime < first ? tradeTime : first),
      undefined,
    );
  }

  /** Of the last trade before the minute, or else of the first one ever. */
  async function idBefore(): Promise<number | undefined> {
    const before = { endTime: addMs(openTime, -1), limit: 1 };
    const last = (await rest.aggTrades(symbol, before, asking)).trades.at(-1);
    if (last !== undefined) return last.aggTradeId;
    const after = { startTime: openTime, limit: 1 };
    return (await rest.aggTrades(symbol, after, asking)).trades[0]?.aggTradeId;
  }

  /** Page by page until past the minute or at REST's end; some ids before `id` come along, for times may swap. */
  async function readFrom(id: number): Promise<Read> {
    const all: AggTrade[] = [];
    let fromId = Math.max(0, id - STRAGGLER_IDS);
    for (let pages = 0; pages < MINUTE_PAGES_MAX; pages++) {
      const page = await rest.aggTrades(symbol, { fromId, limit: PAGE_ROWS_MAX }, asking);
      const first = pages === 0 ? Math.min(page.trades[0]?.aggTradeId ?? id, id) : fromId;
      const gap = gapIn(page.trades, first);
      if (gap !== undefined) return missing(`the exchange has no trades ${gap} of ${symbol}`);
      all.push(...page.trades);
      if (!page.isFull || isPast(all)) return { type: 'read', trades: all };
      fromId = first + page.trades.length;
    }
    return missing(`more than ${MINUTE_PAGES_MAX * PAGE_ROWS_MAX} trades of ${symbol} in a minute`);
  }

  function isPast(trades: readonly AggTrade[]): boolean {
    return (trades.at(-1)?.tradeTime ?? 0) >= end + STRAGGLER_MS;
  }

  /** No trade after the minute, or none in it: the exchange's closed kline decides. */
  async function byKline(trades: readonly AggTrade[], isFollowed: boolean): Promise<MinuteTrades> {
    const range = { startTime: openTime, limit: 2 };
    const { closed, lastOpenTime } = await rest.klines(symbol, '1m', range, asking);
    const kline = closed.find((candle) => candle.openTime === openTime);
    if (kline !== undefined) {
      return kline.trades === singleTrades(trades)
        ? { type: 'whole', trades, nextTradeTime }
        : { type: 'not-yet' };
    }
    const isPast = lastOpenTime !== undefined && lastOpenTime > openTime;
    return isFollowed && isPast ? { type: 'absent' } : { type: 'not-yet' };
  }
}

type Missing = MinuteTrades & { readonly type: 'missing' };
type Read = { readonly type: 'read'; readonly trades: readonly AggTrade[] } | Missing;

function missing(reason: string): Missing {
  return { type: 'missing', reason };
}

/** The first ids that are not there, as `12 to 15`. */
function gapIn(trades: readonly AggTrade[], from: number): string | undefined {
  let next = from;
  for (const { aggTradeId } of trades) {
    if (aggTradeId !== next) return `${next} to ${aggTradeId - 1}`;
    next += 1;
  }
  return undefined;
}

function singleTrades(trades: readonly AggTrade[]): number {
  return trades.reduce(
    (sum, { firstTradeId, lastTradeId }) => sum + lastTradeId - firstTradeId + 1,
    0,
  );
}

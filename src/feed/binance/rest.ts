// The exchange's REST calls that a feed needs, typed: time, limits, klines, aggregate trades. Each waits for its turn and tries until answered.
import { z } from 'zod';
import { type AggTrade, isVoid } from '../../core/market/agg-trade.ts';
import type { Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock, DurationMs, EpochMs } from '../../core/market/time.ts';
import { aggTradeEventSchema, voidableEventSchema } from '../../protocol/agg-trade-record.ts';
import { timeField } from '../../protocol/candle-record.ts';
import { FeedError } from '../market-feed.ts';
import { type Klines, readKlines } from './kline-rows.ts';
import { BadRequestError, type RestAnswer, type RestRequester } from './rest-request.ts';
import { createServerTime } from './server-time.ts';
import type { Priority } from './weight-budget.ts';

/** Rows in one answer at most, of klines and of trades. */
export const PAGE_ROWS_MAX = 1_000;

/** The exchange's "Invalid symbol." */
const CODE_INVALID_SYMBOL = -1121;
const CODE_ILLEGAL_CHARACTERS = -1100;

interface Asking {
  readonly priority: Priority;
  readonly signal: AbortSignal;
}

export interface Rest {
  /** Exchange's clock minus ours, ms; 0 before the first `sampleTime`. */
  clockOffsetMs(): DurationMs | undefined;
  /** Exchange's clock now, as known. */
  now(): EpochMs;
  /** Asks the time once; the sample with the least round trip of the last few counts. */
  sampleTime(signal: AbortSignal): Promise<void>;
  /** Reads the request limits, and checks that `symbol` exists. @throws FeedError `unknown-symbol` */
  learnLimits(symbol: MarketSymbol, signal: AbortSignal): Promise<void>;
  /** Closed ones, by the exchange's window rule: with `startTime` the oldest from there on, else the newest. @throws FeedError `unknown-symbol` */
  klines(
    symbol: MarketSymbol,
    interval: Interval,
    range: { readonly startTime?: EpochMs; readonly endTime?: EpochMs; readonly limit?: number },
    asking: Asking,
  ): Promise<Klines>;
  /** Ascending by id; from an id or a time on, else the newest, up to `endTime`: all inclusive. @throws FeedError `unknown-symbol` */
  aggTrades(symbol: MarketSymbol, range: TradeRange, asking: Asking): Promise<TradePage>;
}

/** At most one of the first three. */
export interface TradeRange {
  readonly fromId?: number;
  readonly startTime?: EpochMs;
  readonly endTime?: EpochMs;
  readonly limit?: number;
}

export interface TradePage {
  /** With those without price or quantity (`isVoid`), which use up an id and are among the rejected too. */
  readonly trades: readonly AggTrade[];
  /** There may be more behind them. */
  readonly isFull: boolean;
  /** Rows that are no trade: why, and the row. */
  readonly rejected: readonly { readonly reason: string; readonly payload: string }[];
}

export function createRest(requester: RestRequester, clock: Clock): Rest {
  const time = createServerTime(clock);

  async function ask(
    path: string,
    weight: number,
    query: Readonly<Record<string, string | number | undefined>>,
    asking: Asking,
  ): Promise<RestAnswer> {
    try {
      const answer = await requester.ask({ path, weight, query, ...asking });
      time.answered(answer);
      return answer;
    } catch (error) {
      const isSymbol =
        error instanceof BadRequestError &&
        (error.code === CODE_INVALID_SYMBOL || error.code === CODE_ILLEGAL_CHARACTERS);
      if (!isSymbol || query['symbol'] === undefined) throw error;
      throw new FeedError(
        'unknown-symbol',
        `Expected a symbol the exchange lists, such as BTCUSDT, was "${query['symbol']}"; correct --symbols`,
        { cause: error },
      );
    }
  }

  async function sampleTime(signal: AbortSignal): Promise<void> {
    const asking = { priority: 'urgent', signal } as const;
    const answer = await ask('/api/v3/time', 1, {}, asking);
    const { serverTime } = z.object({ serverTime: timeField }).parse(answer.value);
    time.sampled(serverTime, answer);
  }

  return {
    clockOffsetMs: time.offsetMs,
    now: time.now,
    sampleTime,
    async learnLimits(symbol, signal) {
      const asking = { priority: 'urgent', signal } as const;
      const { value } = await ask('/api/v3/exchangeInfo', 20, { symbol }, asking);
      const limit = weightLimit(value);
      if (limit !== undefined) requester.budget.setLimit(limit);
    },
    async klines(symbol, interval, range, asking) {
      const query = { symbol, interval, limit: PAGE_ROWS_MAX, ...range };
      const { value, answeredAt } = await ask('/api/v3/klines', 2, query, asking);
      // Whether the last row is closed is the exchange's word, never that of a clock of the machine that may have jumped.
      if (answeredAt === undefined) await sampleTime(asking.signal);
      return readKlines(value, { symbol, interval, now: answeredAt ?? time.now() });
    },
    async aggTrades(symbol, range, asking) {
      const query = { symbol, limit: PAGE_ROWS_MAX, ...range };
      const { value } = await ask('/api/v3/aggTrades', 4, query, asking);
      return readTrades(value, symbol, query.limit);
    },
  };
}

/** Asking again will not change it. All else may pass: a login page in between, an endpoint that refuses us, an answer that is none. */
export function isFinal(error: unknown): boolean {
  if (error instanceof FeedError) return error.code === 'unknown-symbol';
  return error instanceof BadRequestError;
}

const limitsSchema = z.object({
  rateLimits: z.array(
    z.object({
      rateLimitType: z.string(),
      interval: z.string(),
      intervalNum: z.number().int().positive(),
      limit: z.number().int().positive(),
    }),
  ),
});

/** Request weight a minute; undefined where the answer does not say. */
function weightLimit(value: unknown): number | undefined {
  const limits = limitsSchema.safeParse(value);
  return limits.data?.rateLimits.find(
    (one) =>
      one.rateLimitType === 'REQUEST_WEIGHT' && one.interval === 'MINUTE' && one.intervalNum === 1,
  )?.limit;
}

function readTrades(value: unknown, symbol: MarketSymbol, limit: number): TradePage {
  if (!Array.isArray(value)) throw new Error(`Expected a list of trades of ${symbol}`);
  const trades: AggTrade[] = [];
  const rejected: { reason: string; payload: string }[] = [];
  for (const row of value) {
    // By REST the time of sending is not known: the trade's own stands in.
    const fields = { ...row, e: 'aggTrade', E: row?.T, s: symbol };
    const event = aggTradeEventSchema.safeParse(fields);
    if (event.success) {
      trades.push(event.data);
    } else {
      const issue = event.error.issues[0];
      const reason = `Expected a trade of ${symbol} by REST (${issue?.path.join('.')}: ${issue?.message})`;
      rejected.push({ reason, payload: JSON.stringify(row) });
      // Zero price or quantity, and REST says so: its id is used up all the same.
      const used = voidableEventSchema.safeParse(fields);
      if (used.success && isVoid(used.data)) trades.push(used.data);
    }
  }
  trades.sort((a, b) => a.aggTradeId - b.aggTradeId);
  return { trades, isFull: value.length >= limit, rejected };
}

// The exchange's closed 1m kline event as a candle with its ids. Pure; every field is checked, and a candle that cannot be is refused.
import { z } from 'zod';
import type { Candle } from '../../core/market/candle.ts';
import { closeTimeOf } from '../../core/market/interval.ts';
import { type EpochMs, MINUTE_MS } from '../../core/market/time.ts';
import { decimalField, symbolField, timeField } from '../../protocol/candle-record.ts';

/** Ids and counts: whole, exact in a double, of at most 15 digits as everywhere here. */
const NUMBER_MAX = 999_999_999_999_999;
const idField = z.number().int().min(-1).max(NUMBER_MAX);

const closedMinuteSchema = z
  .object({
    E: timeField,
    s: symbolField,
    k: z.object({
      t: timeField,
      T: timeField,
      s: symbolField,
      i: z.literal('1m'),
      f: idField,
      L: idField,
      o: decimalField,
      c: decimalField,
      h: decimalField,
      l: decimalField,
      v: decimalField,
      n: z.number().int().min(0).max(NUMBER_MAX),
      x: z.literal(true),
      q: decimalField,
      V: decimalField,
      Q: decimalField,
    }),
  })
  .refine(({ s, k }) => s === k.s, 'expected one symbol in s and k.s')
  .refine(({ k }) => k.t % MINUTE_MS === 0, "expected a minute's open time in k.t")
  .refine(({ k }) => k.T === k.t + MINUTE_MS - 1, 'expected k.T to end the minute of k.t')
  .refine(({ k }) => k.l <= k.o && k.l <= k.c && k.o <= k.h && k.c <= k.h, 'expected l ≤ o, c ≤ h')
  .refine(({ k }) => k.V <= k.v && k.Q <= k.q, 'expected V ≤ v and Q ≤ q')
  .refine(
    ({ k }) => (k.n === 0 ? k.f === -1 && k.L === -1 && k.v === 0n : k.f >= 0 && k.L >= k.f),
    'expected f and L as n says: −1 where nothing was traded, else f ≤ L',
  );

export type KlineEvent =
  | { readonly type: 'closed'; readonly candle: Candle; readonly sentAt: EpochMs }
  | { readonly type: 'rejected'; readonly issue: z.core.$ZodIssue | undefined };

/** Of an event whose `k.i` is `1m` and `k.x` is true. */
export function readClosedMinute(event: unknown): KlineEvent {
  const read = closedMinuteSchema.safeParse(event);
  if (!read.success) return { type: 'rejected', issue: read.error.issues[0] };
  const { E, s, k } = read.data;
  const candle: Candle = {
    symbol: s,
    interval: '1m',
    openTime: k.t,
    closeTime: closeTimeOf('1m', k.t),
    open: k.o,
    high: k.h,
    low: k.l,
    close: k.c,
    volume: k.v,
    quoteVolume: k.q,
    trades: k.n,
    takerBuyVolume: k.V,
    takerBuyQuoteVolume: k.Q,
    firstTradeId: k.f,
    lastTradeId: k.L,
    revision: 0,
    complete: true,
    source: 'klines',
  };
  return { type: 'closed', candle, sentAt: E };
}

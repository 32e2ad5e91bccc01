// The JSON of `raw_ticks`: the exchange's aggTrade events, and our control records beside them, told apart by `e`.
import { z } from 'zod';
import type { AggTrade } from '../core/market/agg-trade.ts';
import type { Candle } from '../core/market/candle.ts';
import { formatDecimal } from '../core/market/decimal.ts';
import { closeTimeOf, INTERVALS } from '../core/market/interval.ts';
import type { RawTick, RepairPart } from '../core/market/raw-tick.ts';
import { REPAIR_PART_TRADES_MAX } from '../core/market/raw-tick.ts';
import { aggTradeEventSchema, encodeAggTrade, formatParts } from './agg-trade-record.ts';
import { AggTradeScanner } from './agg-trade-scanner.ts';
import { decimalField, parseJson, symbolField, timeField } from './candle-record.ts';

const idOrNoneField = z.number().int().min(-1);

const watermarkSchema = z
  .object({ e: z.literal('watermark'), s: symbolField, T: timeField, a: idOrNoneField })
  .transform(
    ({ s, T, a }): RawTick => ({
      type: 'watermark',
      watermark: { symbol: s, time: T, aggTradeId: a },
    }),
  );

/** An id without a trade: `{"e":"void","s":…,"a":…,"T":…}`. */
const voidSchema = z
  .object({ e: z.literal('void'), s: symbolField, a: z.number().int().min(0), T: timeField })
  .transform(
    ({ s, a, T }): RawTick => ({
      type: 'void',
      trade: { symbol: s, aggTradeId: a, tradeTime: T },
    }),
  );

const symbolStartSchema = z
  .object({
    e: z.literal('symbol'),
    s: symbolField,
    T: timeField,
    threeDayAnchor: timeField,
    minutesFrom: timeField,
    daysFrom: timeField,
    previousClose: decimalField.optional(),
    newSeries: z.literal(true).optional(),
  })
  .transform(
    ({ s, T, threeDayAnchor, minutesFrom, daysFrom, previousClose, newSeries }): RawTick => ({
      type: 'symbol',
      start: {
        symbol: s,
        time: T,
        threeDayAnchor,
        minutesFrom,
        daysFrom,
        ...(previousClose === undefined ? {} : { previousClose }),
        ...(newSeries === undefined ? {} : { isNewSeries: newSeries }),
      },
    }),
  );

/** The exchange's kline event, closed; `f` and `L` are left out where they are not known (REST). `reason` is ours: its digits are to be taken over. */
const klineSchema = z
  .object({
    e: z.literal('kline'),
    s: symbolField,
    reason: z.literal('rounding').optional(),
    k: z.object({
      t: timeField,
      i: z.enum(INTERVALS),
      f: idOrNoneField.optional(),
      L: idOrNoneField.optional(),
      o: decimalField,
      c: decimalField,
      h: decimalField,
      l: decimalField,
      v: decimalField,
      n: z.number().int().min(0),
      x: z.literal(true),
      q: decimalField,
      V: decimalField,
      Q: decimalField,
    }),
  })
  .transform(
    ({ s, k, reason }): RawTick => ({
      type: 'kline',
      candle: {
        symbol: s,
        interval: k.i,
        openTime: k.t,
        closeTime: closeTimeOf(k.i, k.t),
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
        ...(reason === undefined ? {} : { reason }),
      },
    }),
  );

/** A trade in a repair part: [a, p, q, f, l, T, m]. */
const repairTradeSchema = z.tuple([
  z.number(),
  z.string(),
  z.string(),
  z.number(),
  z.number(),
  z.number(),
  z.boolean(),
]);

const repairSchema = z
  .object({
    e: z.literal('repair'),
    s: symbolField,
    t: timeField,
    part: z.number().int().min(0),
    parts: z.number().int().min(1),
    trades: z.array(repairTradeSchema).max(REPAIR_PART_TRADES_MAX),
    next: timeField.optional(),
  })
  .transform(({ s, t, part, parts, trades, next }, context): RawTick => {
    const parsed: AggTrade[] = [];
    for (const [a, p, q, f, l, T, m] of trades) {
      const trade = aggTradeEventSchema.safeParse({ e: 'aggTrade', E: T, s, a, p, q, f, l, T, m });
      if (!trade.success) {
        context.addIssue({ code: 'custom', message: `trade ${a}: ${trade.error.message}` });
        return z.NEVER;
      }
      parsed.push(trade.data);
    }
    const nextTrade = next === undefined ? {} : { nextTradeTime: next };
    const repair = { symbol: s, openTime: t, part, parts, trades: parsed, ...nextTrade };
    return { type: 'repair', repair };
  });

const rawTickSchema = z.union([
  aggTradeEventSchema.transform((trade): RawTick => ({ type: 'aggTrade', trade })),
  voidSchema,
  watermarkSchema,
  klineSchema,
  symbolStartSchema,
  repairSchema,
]);

export function encodeRawTick(tick: RawTick): string {
  switch (tick.type) {
    case 'aggTrade':
      return encodeAggTrade(tick.trade);
    case 'void': {
      const { symbol, aggTradeId, tradeTime } = tick.trade;
      return JSON.stringify({ e: 'void', s: symbol, a: aggTradeId, T: tradeTime });
    }
    case 'watermark': {
      const { symbol, time, aggTradeId } = tick.watermark;
      return JSON.stringify({ e: 'watermark', s: symbol, T: time, a: aggTradeId });
    }
    case 'symbol': {
      const { symbol, time, threeDayAnchor, minutesFrom, daysFrom } = tick.start;
      const { previousClose, isNewSeries } = tick.start;
      return JSON.stringify({
        e: 'symbol',
        s: symbol,
        T: time,
        threeDayAnchor,
        minutesFrom,
        daysFrom,
        ...(previousClose === undefined ? {} : { previousClose: formatDecimal(previousClose) }),
        ...(isNewSeries === undefined ? {} : { newSeries: isNewSeries }),
      });
    }
    case 'kline':
      return encodeKline(tick.candle);
    case 'repair':
      return encodeRepair(tick.repair);
  }
}

/** @throws DecodeError */
export function decodeRawTick(text: string): RawTick {
  return parseJson(rawTickSchema, text, 'a record of raw_ticks');
}

/** The hot path: a trade in the one form everybody writes, from its bytes; undefined for anything else. */
export function tradeTickDecoder(): (
  bytes: Uint8Array,
  start: number,
  end: number,
) => RawTick | undefined {
  const scanner = new AggTradeScanner();
  return (bytes, start, end) =>
    scanner.scanEvent(bytes, start, end)
      ? { type: 'aggTrade', trade: { ...scanner.trade } }
      : undefined;
}

function encodeKline(candle: Candle): string {
  return JSON.stringify({
    e: 'kline',
    E: candle.closeTime + 1,
    s: candle.symbol,
    ...(candle.reason === 'rounding' ? { reason: candle.reason } : {}),
    k: {
      t: candle.openTime,
      T: candle.closeTime,
      s: candle.symbol,
      i: candle.interval,
      ...(candle.firstTradeId === undefined ? {} : { f: candle.firstTradeId }),
      ...(candle.lastTradeId === undefined ? {} : { L: candle.lastTradeId }),
      o: formatDecimal(candle.open),
      c: formatDecimal(candle.close),
      h: formatDecimal(candle.high),
      l: formatDecimal(candle.low),
      v: formatDecimal(candle.volume),
      n: candle.trades,
      x: true,
      q: formatDecimal(candle.quoteVolume),
      V: formatDecimal(candle.takerBuyVolume),
      Q: formatDecimal(candle.takerBuyQuoteVolume),
    },
  });
}

function encodeRepair(repair: RepairPart): string {
  return JSON.stringify({
    e: 'repair',
    s: repair.symbol,
    t: repair.openTime,
    part: repair.part,
    parts: repair.parts,
    trades: repair.trades.map((trade) => [
      trade.aggTradeId,
      formatParts(trade.priceInteger, trade.priceFraction),
      formatParts(trade.quantityInteger, trade.quantityFraction),
      trade.firstTradeId,
      trade.lastTradeId,
      trade.tradeTime,
      trade.buyerIsMaker,
    ]),
    next: repair.nextTradeTime,
  });
}

// The exchange's aggTrade event: its schema (the reference) and its one encoding. The hot path's decoder is agg-trade-scanner.ts.
import { z } from 'zod';
import type { AggTrade } from '../core/market/agg-trade.ts';
import { DECIMAL_ONE, type Decimal } from '../core/market/decimal.ts';
import { decimalField, symbolField, timeField } from './candle-record.ts';

/** Ids and counts: whole, exact in a double, of at most 15 digits as everywhere here. */
const idField = z.number().int().min(0).max(999_999_999_999_999);

/** `f` and `l` where there is no single trade. */
const idOrNoneField = z.number().int().min(-1).max(999_999_999_999_999);

/** A price or quantity that a trade can have: above zero, its part before the point exact in a double. */
const positiveField = decimalField.refine(
  (value) => value > 0n && value / DECIMAL_ONE <= 999_999_999_999_999n,
  'expected a decimal above 0 with at most 15 digits before the point',
);

const amountField = decimalField.refine(
  (value) => value >= 0n && value / DECIMAL_ONE <= 999_999_999_999_999n,
  'expected a decimal of 0 or more with at most 15 digits before the point',
);

/** `{"e":"aggTrade","E":…,"s":"BTCUSDT","a":…,"p":"…","q":"…","f":…,"l":…,"T":…,"m":…}`; `M` and anything else is ignored. */
export const aggTradeEventSchema = eventSchema(positiveField, idField);

/** The same, where price or quantity may be zero: an id that is used up by no trade. */
export const voidableEventSchema = eventSchema(amountField, idOrNoneField);

function eventSchema(amount: typeof positiveField, singleId: typeof idField) {
  return z
    .object({
      e: z.literal('aggTrade'),
      E: timeField,
      s: symbolField,
      a: idField,
      p: amount,
      q: amount,
      f: singleId,
      l: singleId,
      T: timeField,
      m: z.boolean(),
    })
    .refine((event) => event.l >= event.f, 'expected l ≥ f')
    .transform(
      (event): AggTrade => ({
        symbol: event.s,
        aggTradeId: event.a,
        priceInteger: integerPart(event.p),
        priceFraction: fractionPart(event.p),
        quantityInteger: integerPart(event.q),
        quantityFraction: fractionPart(event.q),
        firstTradeId: event.f,
        lastTradeId: event.l,
        tradeTime: event.T,
        eventTime: event.E,
        buyerIsMaker: event.m,
      }),
    );
}

/** A trade as the exchange's event, fields in its order, prices with 8 places, without `M`. */
export function encodeAggTrade(trade: AggTrade): string {
  return `{"e":"aggTrade","E":${trade.eventTime},"s":${JSON.stringify(trade.symbol)},"a":${trade.aggTradeId},"p":"${formatParts(trade.priceInteger, trade.priceFraction)}","q":"${formatParts(trade.quantityInteger, trade.quantityFraction)}","f":${trade.firstTradeId},"l":${trade.lastTradeId},"T":${trade.tradeTime},"m":${trade.buyerIsMaker}}`;
}

/** `(87648, 21000000)` → `87648.21000000`. */
export function formatParts(integer: number, fraction: number): string {
  return `${integer}.${String(fraction).padStart(8, '0')}`;
}

export function integerPart(value: Decimal): number {
  return Number(value / DECIMAL_ONE);
}

export function fractionPart(value: Decimal): number {
  return Number(value % DECIMAL_ONE);
}

// The JSON of `ohlcv_<interval>` and `ohlcv_live`, and of a candle anywhere else outside. Field order is part of the format: equal candles are equal bytes.
import { z } from 'zod';
import type { Candle, LiveCandle } from '../core/market/candle.ts';
import { type Decimal, formatDecimal, parseDecimal } from '../core/market/decimal.ts';
import { INTERVALS } from '../core/market/interval.ts';
import { parseMarketSymbol } from '../core/market/symbol.ts';
import { EPOCH_MS_MAX, epochMs } from '../core/market/time.ts';
import { DecodeError } from './decode-error.ts';

export const symbolField = z.string().transform((text, context) => {
  const symbol = parseMarketSymbol(text);
  if (symbol !== undefined && symbol === text) return symbol;
  context.addIssue({ code: 'custom', message: `expected a symbol such as BTCUSDT, was "${text}"` });
  return z.NEVER;
});

export const decimalField = z.string().transform((text, context): Decimal => {
  const value = parseDecimal(text);
  if (value !== undefined) return value;
  context.addIssue({ code: 'custom', message: `expected a decimal of 8 places, was "${text}"` });
  return z.NEVER;
});

export const timeField = z.number().int().min(0).max(EPOCH_MS_MAX).transform(epochMs);

const candleShape = {
  symbol: symbolField,
  interval: z.enum(INTERVALS),
  openTime: timeField,
  closeTime: timeField,
  open: decimalField,
  high: decimalField,
  low: decimalField,
  close: decimalField,
  volume: decimalField,
  quoteVolume: decimalField,
  trades: z.number().int().min(0),
  takerBuyVolume: decimalField,
  takerBuyQuoteVolume: decimalField,
  firstTradeId: z.number().int().min(-1).optional(),
  lastTradeId: z.number().int().min(-1).optional(),
  revision: z.number().int().min(0),
  complete: z.boolean(),
  source: z.enum(['trades', 'klines']),
  reason: z.enum(['late-trade', 'repair', 'rolled-up-correction', 'rounding']).optional(),
};
const candleSchema = z.object(candleShape);
/** A candle within another record. */
export const candleField = candleSchema.transform(
  ({ firstTradeId, lastTradeId, reason, ...rest }): Candle => ({
    ...rest,
    firstTradeId,
    lastTradeId,
    ...(reason === undefined ? {} : { reason }),
  }),
);
const liveCandleSchema = z.object({
  ...candleShape,
  closed: z.boolean(),
  lastAggTradeId: z.number().int().min(-1),
  eventTime: timeField.optional(),
});

/** A candle as the plain object that is written as JSON: decimals as text, unknown ids left out. */
export function candleJson(candle: Candle): Record<string, string | number | boolean> {
  return {
    symbol: candle.symbol,
    interval: candle.interval,
    openTime: candle.openTime,
    closeTime: candle.closeTime,
    open: formatDecimal(candle.open),
    high: formatDecimal(candle.high),
    low: formatDecimal(candle.low),
    close: formatDecimal(candle.close),
    volume: formatDecimal(candle.volume),
    quoteVolume: formatDecimal(candle.quoteVolume),
    trades: candle.trades,
    takerBuyVolume: formatDecimal(candle.takerBuyVolume),
    takerBuyQuoteVolume: formatDecimal(candle.takerBuyQuoteVolume),
    ...(candle.firstTradeId === undefined ? {} : { firstTradeId: candle.firstTradeId }),
    ...(candle.lastTradeId === undefined ? {} : { lastTradeId: candle.lastTradeId }),
    revision: candle.revision,
    complete: candle.complete,
    source: candle.source,
    ...(candle.reason === undefined ? {} : { reason: candle.reason }),
  };
}

export function encodeCandle(candle: Candle): string {
  return JSON.stringify(candleJson(candle));
}

/** @throws DecodeError */
export function decodeCandle(text: string): Candle {
  return parseJson(candleField, text, 'a candle');
}

export function encodeLiveCandle(candle: LiveCandle): string {
  return JSON.stringify({
    ...candleJson(candle),
    closed: candle.closed,
    lastAggTradeId: candle.lastAggTradeId,
    ...(candle.eventTime === undefined ? {} : { eventTime: candle.eventTime }),
  });
}

/** @throws DecodeError */
export function decodeLiveCandle(text: string): LiveCandle {
  const { firstTradeId, lastTradeId, reason, eventTime, ...rest } = parseJson(
    liveCandleSchema,
    text,
    'a live candle',
  );
  return {
    ...rest,
    firstTradeId,
    lastTradeId,
    ...(reason === undefined ? {} : { reason }),
    ...(eventTime === undefined ? {} : { eventTime }),
  };
}

/**
 * Text → value by `schema`.
 * @throws DecodeError naming what was expected and the first fault.
 */
export function parseJson<S extends z.ZodType>(
  schema: S,
  text: string,
  expected: string,
): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DecodeError(`${expected} as JSON`, text, { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new DecodeError(`${expected} (${issue?.path.join('.')}: ${issue?.message})`, text);
}

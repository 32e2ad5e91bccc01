// The JSON of `evidence` and `repairs`: what the exchange says of its closed minutes, and what the audit asks for.
import { z } from 'zod';
import type { Candle } from '../core/market/candle.ts';
import type { Evidence, RepairRequest } from '../core/market/evidence.ts';
import { candleField, candleJson, parseJson, symbolField, timeField } from './candle-record.ts';

const minuteShape = { symbol: symbolField, openTime: timeField };

const evidenceSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('kline'), via: z.enum(['stream', 'rest']), candle: candleField }),
  z.object({ type: z.literal('absent'), ...minuteShape }),
  z.object({ type: z.literal('repaired'), ...minuteShape }),
  z.object({ type: z.literal('unrepairable'), ...minuteShape, reason: z.string() }),
]) satisfies z.ZodType<Evidence>;

const repairRequestSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('klines'), symbol: symbolField, from: timeField, to: timeField }),
  z.object({ type: z.literal('trades'), ...minuteShape }),
  z.object({ type: z.literal('rounding'), candle: candleField }),
]) satisfies z.ZodType<RepairRequest>;

export function encodeEvidence(evidence: Evidence): string {
  return encodeWithCandle(evidence);
}

/** @throws DecodeError */
export function decodeEvidence(text: string): Evidence {
  return parseJson(evidenceSchema, text, 'evidence of a minute');
}

export function encodeRepairRequest(request: RepairRequest): string {
  return encodeWithCandle(request);
}

/** @throws DecodeError */
export function decodeRepairRequest(text: string): RepairRequest {
  return parseJson(repairRequestSchema, text, 'a repair request');
}

function encodeWithCandle(value: object & { readonly candle?: Candle }): string {
  if (value.candle === undefined) return JSON.stringify(value);
  return JSON.stringify({ ...value, candle: candleJson(value.candle) });
}

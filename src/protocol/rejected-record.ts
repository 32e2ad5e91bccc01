// The JSON of `raw_ticks.dlq`: what the feed sent that is no trade, and why it was refused.
import { z } from 'zod';
import type { EpochMs } from '../core/market/time.ts';
import { parseJson, timeField } from './candle-record.ts';

export interface RejectedTick {
  readonly reason: string;
  /** What came, cut to the feed port's `REJECTED_PAYLOAD_MAX` characters. */
  readonly payload: string;
  readonly receivedAt: EpochMs;
}

const rejectedSchema = z.object({ reason: z.string(), payload: z.string(), receivedAt: timeField });

export function encodeRejected(rejected: RejectedTick): string {
  return JSON.stringify(rejected);
}

/** @throws DecodeError */
export function decodeRejected(text: string): RejectedTick {
  return parseJson(rejectedSchema, text, 'a rejected tick');
}

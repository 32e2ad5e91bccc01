// The JSON of `audits`, and of a verdict anywhere else outside.
import { z } from 'zod';
import { type Audit, VERDICTS } from '../core/audit/audit.ts';
import { candleField, candleJson, parseJson, symbolField, timeField } from './candle-record.ts';

const auditSchema = z.object({
  symbol: symbolField,
  openTime: timeField,
  verdict: z.enum(VERDICTS),
  revision: z.number().int().min(0),
  rounding: z.boolean(),
  reason: z.string().optional(),
  ours: candleField.optional(),
  theirs: candleField.optional(),
  at: timeField,
});

export function auditJson(audit: Audit): Record<string, unknown> {
  const { ours, theirs, ...rest } = audit;
  return {
    ...rest,
    ...(ours === undefined ? {} : { ours: candleJson(ours) }),
    ...(theirs === undefined ? {} : { theirs: candleJson(theirs) }),
  };
}

export function encodeAudit(audit: Audit): string {
  return JSON.stringify(auditJson(audit));
}

/** @throws DecodeError */
export function decodeAudit(text: string): Audit {
  const { reason, ours, theirs, ...rest } = parseJson(auditSchema, text, 'an audit');
  return {
    ...rest,
    ...(reason === undefined ? {} : { reason }),
    ...(ours === undefined ? {} : { ours }),
    ...(theirs === undefined ? {} : { theirs }),
  };
}

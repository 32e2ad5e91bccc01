// GET /api/v1/audits and its summary, parsed. Throws an Error whose message can be shown to the reader.
import type { AuditSummary } from '../../src/protocol/browser.ts';
import { isAuditDay, isRecord, type Json } from '../connection/parse-message.ts';
import type { CandleFields } from './differing-fields.ts';

export const AUDIT_TIMEOUT_MS = 8_000;

/** What the page uses of a verdict. */
export interface FetchedAudit {
  readonly revision: number;
  readonly rounding: boolean;
  readonly reason: string | undefined;
  readonly ours: CandleFields | undefined;
  readonly theirs: CandleFields | undefined;
}

/** The verdict on one minute; undefined where the server has none. */
export async function fetchAudit(
  base: string,
  minute: { readonly symbol: string; readonly openTime: number },
  signal: AbortSignal,
): Promise<FetchedAudit | undefined> {
  const { symbol, openTime } = minute;
  const range = { symbol, from: openTime, to: openTime, limit: 1 };
  const answer = await getJson(base, 'api/v1/audits', range, signal);
  const audits = answer['audits'];
  if (!Array.isArray(audits)) throw new Error('the server answered something else than audits');
  const audit: unknown = audits[0];
  if (!isRecord(audit)) return undefined;
  return {
    revision: Number(audit['revision']),
    rounding: audit['rounding'] === true,
    reason: typeof audit['reason'] === 'string' ? audit['reason'] : undefined,
    ours: fieldsOf(audit['ours']),
    theirs: fieldsOf(audit['theirs']),
  };
}

export async function fetchSummary(
  base: string,
  query: { readonly symbol: string; readonly day: number },
  signal: AbortSignal,
): Promise<AuditSummary> {
  const answer = await getJson(base, 'api/v1/audits/summary', query, signal);
  if (!isSummary(answer)) throw new Error('the server answered something else than a summary');
  return answer;
}

async function getJson(
  base: string,
  path: string,
  query: Readonly<Record<string, string | number>>,
  signal: AbortSignal,
): Promise<Json> {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  const response = await fetch(url, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(AUDIT_TIMEOUT_MS)]),
  });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const answer: unknown = await response.json();
  return isRecord(answer) ? answer : {};
}

function fieldsOf(value: unknown): CandleFields | undefined {
  if (!isRecord(value)) return undefined;
  const fields: Record<string, string | number | boolean> = {};
  for (const [key, field] of Object.entries(value)) {
    if (typeof field === 'string' || typeof field === 'number' || typeof field === 'boolean') {
      fields[key] = field;
    }
  }
  return fields;
}

function isSummary(value: Json): value is Json & AuditSummary {
  const { audit, exceptions } = value;
  return (
    (audit === null || isAuditDay(audit)) &&
    Array.isArray(exceptions) &&
    exceptions.every((one) => isRecord(one) && typeof one['openTime'] === 'number')
  );
}

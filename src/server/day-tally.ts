// How the audit of one symbol stands on its newest UTC day, minute by minute. Pure state: reads nothing, waits for nothing.
import type { Audit } from '../core/audit/audit.ts';
import type { Candle } from '../core/market/candle.ts';
import { DAY_MS, type EpochMs } from '../core/market/time.ts';
import { AUDIT_EXCEPTIONS_MAX, type AuditDay, type AuditSummary } from '../protocol/browser.ts';
import { isAuditOf } from './candle-row.ts';

export function dayOf(time: EpochMs): EpochMs {
  return (time - (time % DAY_MS)) as EpochMs;
}

type Standing = Pick<AuditSummary, 'audit' | 'exceptions'>;

/** Takes closed minutes and verdicts in any order. The day is that of the newest minute: no clock decides it. */
export class DayTally {
  readonly #candles = new Map<EpochMs, Candle>();
  readonly #audits = new Map<EpochMs, Audit>();
  #day: EpochMs | undefined;
  #standing: Standing | undefined;

  /** False where it is known already, or of an earlier day. */
  putCandle(candle: Candle): boolean {
    const day = dayOf(candle.openTime);
    if (this.#day === undefined || day > this.#day) this.#begin(day);
    const held = this.#candles.get(candle.openTime);
    if (day !== this.#day || (held !== undefined && held.revision >= candle.revision)) return false;
    this.#candles.set(candle.openTime, candle);
    this.#standing = undefined;
    return true;
  }

  /** A verdict may come before its minute's candle: it is kept until then. */
  putAudit(audit: Audit): boolean {
    const held = this.#audits.get(audit.openTime);
    if (audit.openTime < (this.#day ?? 0) || (held !== undefined && held.at > audit.at))
      return false;
    this.#audits.set(audit.openTime, audit);
    this.#standing = undefined;
    return true;
  }

  standing(): Standing {
    this.#standing ??= this.#count();
    return this.#standing;
  }

  #begin(day: EpochMs): void {
    this.#day = day;
    this.#candles.clear();
    for (const openTime of this.#audits.keys()) {
      if (openTime < day) this.#audits.delete(openTime);
    }
  }

  /** One pass over at most 1,440 minutes, after a change and when somebody asks. */
  #count(): Standing {
    if (this.#day === undefined) return { audit: null, exceptions: [] };
    const counts = { verified: 0, repaired: 0, differs: 0, unverified: 0 };
    const exceptions: AuditSummary['exceptions'][number][] = [];
    let closed = 0;
    let since: EpochMs | undefined;
    for (const candle of this.#candles.values()) {
      if (candle.source !== 'trades') continue;
      closed += 1;
      if (since === undefined || candle.openTime < since) since = candle.openTime;
      const audit = this.#audits.get(candle.openTime);
      if (audit === undefined || !isAuditOf(audit, candle)) continue;
      const { openTime, verdict, reason } = audit;
      counts[verdict] += 1;
      if (verdict === 'verified') continue;
      exceptions.push({ openTime, verdict, ...(reason === undefined ? {} : { reason }) });
    }
    exceptions.sort((a, b) => b.openTime - a.openTime);
    const audit: AuditDay = {
      day: this.#day,
      closed,
      ...counts,
      fromKlines: this.#candles.size - closed,
      ...(since === undefined ? {} : { since }),
    };
    return { audit, exceptions: exceptions.slice(0, AUDIT_EXCEPTIONS_MAX) };
  }
}

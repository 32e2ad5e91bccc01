// The verdicts on one symbol's minutes that came last. Bridges the moment until the store has them; keeps no history.
import type { Audit } from '../../core/audit/audit.ts';
import type { EpochMs } from '../../core/market/time.ts';
import { AUDIT_TAIL_MAX } from '../live-market.ts';

export class AuditTail {
  /** In the order they came: the one that came longest ago gives way, whatever minute it is about. */
  readonly #audits = new Map<EpochMs, Audit>();

  /** Takes `audit` in; false where this minute's verdict is already held, or a newer one. */
  put(audit: Audit): boolean {
    const held = this.#audits.get(audit.openTime);
    if (held !== undefined && (held.at > audit.at || isSame(held, audit))) return false;
    this.#audits.delete(audit.openTime);
    this.#audits.set(audit.openTime, audit);
    if (this.#audits.size > AUDIT_TAIL_MAX) {
      const [longestAgo] = this.#audits.keys();
      if (longestAgo !== undefined) this.#audits.delete(longestAgo);
    }
    return true;
  }

  list(): readonly Audit[] {
    return [...this.#audits.values()];
  }
}

function isSame(a: Audit, b: Audit): boolean {
  return a.at === b.at && a.verdict === b.verdict && a.revision === b.revision;
}

// The strip's sentence on a day's audit: "1,440 of 1,440 verified today". Pure.
import { DAY_MS } from '../../src/core/market/time.ts';
import type { AuditDay } from '../../src/protocol/browser.ts';
import { groupThousands } from '../legend/format-decimal.ts';

export interface AuditLine {
  /** `812 of 815 verified`. */
  readonly counts: string;
  /** `today`, or the UTC day that is meant: `on 22 Nov`. */
  readonly when: string;
  /** What is not simply verified: `2 repaired`, `1 differs`. */
  readonly others: readonly string[];
  readonly tone: 'good' | 'busy' | 'bad';
}

/** After midnight the day that has ended stays "today" until its successor's first minute has closed. */
const AFTER_MIDNIGHT_MS = 120_000;
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

export function auditLine(audit: AuditDay, exchangeNow: number): AuditLine {
  const isToday = exchangeNow < audit.day + DAY_MS + AFTER_MIDNIGHT_MS;
  const others = (['repaired', 'differs', 'unverified'] as const)
    .filter((verdict) => audit[verdict] > 0)
    .map((verdict) => `${amount(audit[verdict])} ${differText(verdict, audit[verdict])}`);
  return {
    counts: `${amount(audit.verified)} of ${amount(audit.closed)} verified`,
    when: isToday ? 'today' : `on ${dayText(audit.day)}`,
    others,
    tone: audit.differs > 0 ? 'bad' : audit.unverified > 0 ? 'busy' : 'good',
  };
}

/** Minutes that have no verdict yet. */
export function pendingOf(audit: AuditDay): number {
  const judged = audit.verified + audit.repaired + audit.differs + audit.unverified;
  return Math.max(0, audit.closed - judged);
}

export function amount(count: number): string {
  return groupThousands(String(count));
}

/** `22 Nov`, in UTC: the audit's days are the exchange's. */
export function dayText(day: number): string {
  const date = new Date(day);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()] ?? ''}`;
}

function differText(verdict: 'repaired' | 'differs' | 'unverified', count: number): string {
  return verdict === 'differs' && count > 1 ? 'differ' : verdict;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Three digits and a unit: `81.2 MiB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${UNITS[unit]}`;
}

// The verdict on the candle in the legend, as shown: words at once, the server's reason and both values when they come. Pure.
import type { Interval } from '../../src/core/market/interval.ts';
import type { CandleRow } from '../../src/protocol/browser.ts';
import type { Lookup } from './audit-lookup.ts';
import { differingFields, type FieldPair } from './differing-fields.ts';
import { type SourceKind, type Standing, standingOf, verdictText } from './verdict.ts';

export interface VerdictView {
  readonly standing: Standing;
  readonly word: string;
  readonly detail: string;
  /** Only of a candle that differs. */
  readonly pairs: readonly FieldPair[];
  /** Fields that are equal, beside those that differ. */
  readonly equal: number;
  /** What became of the question for both values: empty where there is nothing to say. */
  readonly progress: string;
}

/** Whether the server has more to say of it than the row's flags do. */
export function hasMore(standing: Standing | undefined): boolean {
  return (
    standing === 'verified' ||
    standing === 'repaired' ||
    standing === 'differs' ||
    standing === 'unverified'
  );
}

export function verdictView(
  row: CandleRow,
  of: { readonly interval: Interval; readonly kind: SourceKind | undefined },
  lookup: Lookup | undefined,
): VerdictView | undefined {
  const standing = standingOf(row, of.interval);
  if (standing === undefined) return undefined;
  const audit = lookup?.state === 'loaded' ? lookup.audit : undefined;
  const rounding =
    audit?.rounding === true ? 'equal but for quote volumes’ last digits' : undefined;
  const reason = audit?.reason ?? rounding;
  const text = verdictText(standing, { kind: of.kind, revision: row[12], reason });
  const word =
    standing === 'verified' && rounding !== undefined ? 'Verified (rounding)' : text.word;
  const isDiffering = standing === 'differs' && audit?.ours !== undefined;
  const fields =
    isDiffering && audit.ours !== undefined && audit.theirs !== undefined
      ? differingFields(audit.ours, audit.theirs)
      : { pairs: [], equal: 0 };
  return {
    standing,
    word,
    detail: text.detail,
    ...fields,
    progress: standing === 'differs' ? progressOf(lookup) : '',
  };
}

function progressOf(lookup: Lookup | undefined): string {
  if (lookup === undefined || lookup.state === 'loading') return 'Fetching both values …';
  if (lookup.state === 'failed') return `Both values could not be fetched: ${lookup.fault}.`;
  return lookup.audit?.theirs === undefined ? 'The server has not kept both values.' : '';
}

/** For screen readers, when a candle is pointed at by keyboard. */
export function spokenVerdict(view: VerdictView | undefined): string {
  if (view === undefined) return '';
  const pairs = view.pairs.map(
    ({ label, ours, theirs }) => `${label}: ours ${ours}, exchange ${theirs}`,
  );
  return [`${view.word}: ${view.detail}`, ...pairs].join('. ');
}

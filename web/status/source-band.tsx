// The band over the page when the market shown is not the real one of now. It cannot be closed.
import type { Dashboard } from '../dashboard/dashboard.ts';
import { sourceBadge } from './page-status.ts';

export function SourceBand({ dashboard }: { readonly dashboard: Dashboard }) {
  const { status } = dashboard.signals;
  const badge = sourceBadge(status.value);
  if (badge === undefined) return null;
  const reason = status.value?.reason;
  return (
    <div class="source-band" role="note" data-kind={status.value?.source.kind}>
      <strong>{badge.word}</strong>
      <span>{badge.text}</span>
      {reason === undefined ? null : <span class="source-reason">{reason}</span>}
    </div>
  );
}

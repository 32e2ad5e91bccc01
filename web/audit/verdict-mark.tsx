// The audit's marks as in the chart's row: a shape for each verdict, so that no colour is needed to tell them apart.
import type { Standing } from './verdict.ts';

export function VerdictMark({ standing }: { readonly standing: Standing }) {
  return (
    <svg class="verdict-mark" data-standing={standing} viewBox="0 0 16 16" aria-hidden="true">
      {shapeOf(standing)}
    </svg>
  );
}

function shapeOf(standing: Standing) {
  switch (standing) {
    case 'verified':
      return <path d="M2.5 8.5l3.5 3.5 7.5-8" />;
    case 'repaired':
      return <path class="solid" d="M8 2.5L13.5 8 8 13.5 2.5 8z" />;
    case 'differs':
      return <path class="solid" d="M8 2.5l6 10.5H2z" />;
    case 'unverified':
      return <circle cx="8" cy="8" r="4.5" />;
    default:
      return <path d="M3 8h10" />;
  }
}

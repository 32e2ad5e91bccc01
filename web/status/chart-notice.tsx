// Over the chart: why it is not current, or what it waits for. Spoken by screen readers when it changes.

import { clockText, localZone, UTC } from '../chart/wall-clock.ts';
import type { Dashboard } from '../dashboard/dashboard.ts';
import type { PageStatus } from './page-status.ts';

export function ChartNotice({ dashboard }: { readonly dashboard: Dashboard }) {
  const { page, fill, zone, symbol } = dashboard.signals;
  const shown = page.value;
  const inZone = zone.value === 'utc' ? UTC : localZone;
  const isFilled = fill.value === 'filled';
  return (
    <div class="chart-notice" role="status" data-fill={fill.value}>
      {isFilled && !shown.isCurrent ? (
        <p class="notice-card" data-tone={shown.tone}>
          <strong class="notice-title">{headline(shown)}</strong>
          {shown.since === undefined ? null : (
            <span>
              {shown.state === 'no-server' ? 'data as of ' : 'since '}
              <time>{clockText(shown.since, inZone)}</time>
            </span>
          )}
          <span class="notice-reason">{shown.reason}</span>
        </p>
      ) : null}
      {isFilled ? null : (
        <p class="notice-empty">
          <strong class="notice-title">
            {fill.value === 'empty'
              ? `Waiting for the first candle of ${symbol.value ?? 'the symbol'}`
              : 'Loading candles'}
          </strong>
          <span>
            {shown.state === 'live'
              ? 'The feed is live; the next trade makes it.'
              : `${shown.word}: ${shown.reason ?? ''}`}
          </span>
        </p>
      )}
    </div>
  );
}

function headline(shown: PageStatus): string {
  switch (shown.state) {
    case 'no-server':
      return 'No connection to server';
    case 'stale':
      return 'Stale: not the current market';
    case 'offline':
      return 'Offline: not the current market';
    case 'no-feed':
      return 'No feed: not the current market';
    default:
      return shown.word;
  }
}

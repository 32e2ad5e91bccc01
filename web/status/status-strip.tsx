// The strip at the foot: how current the page is, where its data is from, how long it took (I12), and the licence's link.
import { AuditStrip } from '../audit/audit-strip.tsx';
import { clockText, localZone, UTC } from '../chart/wall-clock.ts';
import type { Dashboard } from '../dashboard/dashboard.ts';

export function StatusStrip({ dashboard }: { readonly dashboard: Dashboard }) {
  const { delay, updateAge, version } = dashboard.signals;
  return (
    <footer class="strip">
      <State dashboard={dashboard} />
      <StoreFault dashboard={dashboard} />
      <Source dashboard={dashboard} />
      <AuditStrip dashboard={dashboard} />
      <span class="strip-space" />
      <span class="strip-figures">
        <span
          class="strip-figure"
          title="From the exchange to this screen: median of the last 10 s"
        >
          <span class="strip-label">Delay</span>
          <output id="delay">{delay}</output>
        </span>
        <span class="strip-figure" title="Since the last change of this chart">
          <span class="strip-label">Updated</span>
          <output id="update-age">{updateAge}</output>
        </span>
      </span>
      <a
        class="strip-credit"
        href="https://www.tradingview.com/"
        target="_blank"
        rel="noopener noreferrer"
        title="TradingView Lightweight Charts™, Copyright (c) 2026 TradingView, Inc."
      >
        Charts by TradingView
      </a>
      <span class="strip-version">Wickstream {version}</span>
    </footer>
  );
}

function State({ dashboard }: { readonly dashboard: Dashboard }) {
  const { page, zone } = dashboard.signals;
  const { state, tone, word, since, reason } = page.value;
  const inZone = zone.value === 'utc' ? UTC : localZone;
  return (
    <span class="strip-state" id="status" data-state={state} data-tone={tone} title={reason}>
      <span class="dot" aria-hidden="true" />
      <strong class="strip-word">{word}</strong>
      {since === undefined ? null : (
        <span class="strip-since">since {clockText(since, inZone)}</span>
      )}
      {reason === undefined ? null : <span class="strip-reason">{reason}</span>}
    </span>
  );
}

/** Candles are shown and lost with the process: said beside the state, which may be live. */
function StoreFault({ dashboard }: { readonly dashboard: Dashboard }) {
  const fault = dashboard.signals.status.value?.storeFault;
  return (
    <span
      class="strip-fault"
      role="status"
      data-tone="bad"
      title={fault}
      hidden={fault === undefined}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M8 2.5l6 11H2zM8 6.5v3.5M8 12v.1" />
      </svg>
      <strong class="strip-word">Store failing</strong>
      <span class="strip-fault-reason">candles are not kept: {fault}</span>
    </span>
  );
}

function Source({ dashboard }: { readonly dashboard: Dashboard }) {
  const { status } = dashboard.signals;
  if (status.value === undefined) return null;
  return (
    <span class="strip-source" data-kind={status.value.source.kind}>
      {status.value.source.label}
    </span>
  );
}

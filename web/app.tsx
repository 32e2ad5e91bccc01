// The page from top to bottom. Its tree is drawn once; what changes are signals inside it.
import { useComputed } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Dashboard } from './dashboard/dashboard.ts';
import { GapCardView } from './history/gap-card-view.tsx';
import { LegendPanel } from './legend/legend-panel.tsx';
import { ChartNotice } from './status/chart-notice.tsx';
import { Notices } from './status/notices.tsx';
import { SourceBand } from './status/source-band.tsx';
import { StatusStrip } from './status/status-strip.tsx';
import { TopBar } from './view/top-bar.tsx';

export function App({ dashboard }: { readonly dashboard: Dashboard }) {
  const isCurrent = useComputed(() => dashboard.signals.page.value.isCurrent);
  return (
    <div class="page" data-current={isCurrent}>
      <SourceBand dashboard={dashboard} />
      <TopBar dashboard={dashboard} />
      <main class="stage">
        <LegendPanel dashboard={dashboard} />
        <ChartPlace dashboard={dashboard} />
        <Notices dashboard={dashboard} />
        <p class="loading-page" hidden={!dashboard.signals.isLoadingOlder.value}>
          Loading candles
        </p>
        <GapCardView dashboard={dashboard} />
        <GoToLive dashboard={dashboard} />
      </main>
      <StatusStrip dashboard={dashboard} />
    </div>
  );
}

function ChartPlace({ dashboard }: { readonly dashboard: Dashboard }) {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (place.current !== null) dashboard.mount(place.current);
  }, [dashboard]);
  const { symbol, interval, page } = dashboard.signals;
  return (
    <section
      class="chart"
      data-current={page.value.isCurrent}
      aria-label={`Candlestick chart of ${symbol.value ?? 'no symbol'}, ${interval.value}`}
    >
      <div
        class="chart-canvas"
        ref={place}
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: its candles are walked by arrow keys
        tabIndex={0}
        aria-label="Candles: left and right arrow keys walk, Escape ends"
        onKeyDown={(event) => walk(event, dashboard)}
        onBlur={dashboard.endWalk}
      />
      <p class="sr-only" aria-live="polite">
        {dashboard.signals.spoken}
      </p>
      <ChartNotice dashboard={dashboard} />
    </section>
  );
}

/** With Shift ten at a time; Home and End go to the first and last candle held. */
const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 };

function walk(event: KeyboardEvent, dashboard: Dashboard): void {
  const step = STEPS[event.key];
  if (step !== undefined) dashboard.pointBy(event.shiftKey ? step * 10 : step);
  else if (event.key === 'Home') dashboard.pointBy(Number.MIN_SAFE_INTEGER);
  else if (event.key === 'End') dashboard.pointBy(Number.MAX_SAFE_INTEGER);
  else if (event.key === 'Escape') dashboard.pointAtNothing();
  else return;
  event.preventDefault();
}

function GoToLive({ dashboard }: { readonly dashboard: Dashboard }) {
  return (
    <button
      type="button"
      class="go-live"
      hidden={dashboard.signals.isAtLive.value}
      onClick={dashboard.lookAtLive}
    >
      Go to live
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M3 3l5 5-5 5M9 3l4 5-4 5" />
      </svg>
    </button>
  );
}

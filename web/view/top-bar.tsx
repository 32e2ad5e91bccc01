// The bar at the head: symbol, price, interval, zone and theme.
import { computed } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { localZone, zoneName } from '../chart/wall-clock.ts';
import type { Dashboard } from '../dashboard/dashboard.ts';
import { splitThousands } from '../legend/format-decimal.ts';
import { DateMenu } from './date-menu.tsx';
import { IntervalMenu } from './interval-menu.tsx';
import { SymbolMenu } from './symbol-menu.tsx';

export function TopBar({ dashboard }: { readonly dashboard: Dashboard }) {
  return (
    <header class="bar">
      <a class="brand" href="./" aria-label="Wickstream, start page">
        <svg viewBox="0 0 20 20" aria-hidden="true">
          <path class="brand-wick" d="M6 2v16M14 1v14" />
          <rect class="brand-down" x="3.5" y="6" width="5" height="8" rx="1" />
          <rect class="brand-up" x="11.5" y="4" width="5" height="7" rx="1" />
        </svg>
        <span>Wickstream</span>
      </a>
      <SymbolMenu dashboard={dashboard} />
      <Price dashboard={dashboard} />
      <IntervalMenu dashboard={dashboard} />
      <DateMenu dashboard={dashboard} />
      <span class="bar-space" />
      <ZoneSwitch dashboard={dashboard} />
      <ThemeSwitch dashboard={dashboard} />
    </header>
  );
}

function Price({ dashboard }: { readonly dashboard: Dashboard }) {
  const { price, countdown } = dashboard.signals;
  const parts = useMemo(
    () => ({
      direction: computed(() => price.value.direction),
      change: computed(() => price.value.change),
    }),
    [price],
  );
  return (
    <div class="price" data-direction={parts.direction}>
      <LastClose dashboard={dashboard} />
      <span class="price-change" title="Change of the last candle, from its open">
        {parts.change}
      </span>
      <span class="price-countdown" title="Until the candle closes, by the exchange's clock">
        <span class="sr-only">closes in </span>
        <span id="countdown">{countdown}</span>
      </span>
    </div>
  );
}

/** Its text is the plain number: the commas are drawn by the style sheet. */
function LastClose({ dashboard }: { readonly dashboard: Dashboard }) {
  const groups = splitThousands(dashboard.signals.price.value.text);
  return (
    <strong id="last-close">
      {groups.map((group, at) => (
        <span key={at}>{group}</span>
      ))}
    </strong>
  );
}

function ZoneSwitch({ dashboard }: { readonly dashboard: Dashboard }) {
  const { zone } = dashboard.signals;
  const isUtc = zone.value === 'utc';
  const local = zoneName(localZone(Date.now()));
  return (
    <button
      type="button"
      class="tool zone"
      aria-label={`Times are in ${isUtc ? 'UTC' : `local time, ${local}`}; switch to ${isUtc ? 'local time' : 'UTC'}`}
      title={isUtc ? 'Times in UTC; switch to local time' : 'Local times; switch to UTC'}
      onClick={() => dashboard.chooseZone(isUtc ? 'local' : 'utc')}
    >
      {isUtc ? 'UTC' : `Local · ${local}`}
    </button>
  );
}

function ThemeSwitch({ dashboard }: { readonly dashboard: Dashboard }) {
  const other = dashboard.signals.theme.value === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      class="tool theme"
      aria-label={`Switch to the ${other} theme`}
      title={`Switch to the ${other} theme`}
      onClick={() => dashboard.chooseTheme(other)}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {other === 'light' ? (
          <path d="M8 5a3 3 0 100 6 3 3 0 000-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9L13 13M13 3l-1.1 1.1M4.1 11.9L3 13" />
        ) : (
          <path d="M13.5 9.8A5.8 5.8 0 016.2 2.5a5.8 5.8 0 107.3 7.3z" />
        )}
      </svg>
    </button>
  );
}

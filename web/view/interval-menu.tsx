// All intervals: in a row where there is room, behind a button where there is not.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Interval } from '../../src/core/market/interval.ts';
import type { Dashboard } from '../dashboard/dashboard.ts';
import { closesMenu } from './closes-menu.ts';

const NAMES: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  M: 'month',
};

export function IntervalMenu({ dashboard }: { readonly dashboard: Dashboard }) {
  const isOpen = useSignal(false);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => closesMenu(place, isOpen), [isOpen]);
  const { interval } = dashboard.signals;
  return (
    <div class="intervals" ref={place} data-open={isOpen.value}>
      <button
        type="button"
        class="tool intervals-button"
        aria-haspopup="true"
        aria-expanded={isOpen.value}
        aria-label={`Interval: ${spoken(interval.value)}`}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        {interval.value}
        <Chevron />
      </button>
      <div class="intervals-list" role="radiogroup" aria-label="Interval">
        {dashboard.signals.intervals.value.map((name) => (
          <Choice
            key={name}
            name={name}
            dashboard={dashboard}
            onChosen={() => {
              isOpen.value = false;
            }}
          />
        ))}
      </div>
    </div>
  );
}

function Choice(props: {
  readonly name: Interval;
  readonly dashboard: Dashboard;
  readonly onChosen: () => void;
}) {
  const { name, dashboard } = props;
  const isChosen = dashboard.signals.interval.value === name;
  return (
    <label class="interval" title={spoken(name)}>
      <input
        type="radio"
        name="interval"
        value={name}
        checked={isChosen}
        aria-label={spoken(name)}
        onChange={() => {
          dashboard.chooseInterval(name);
          props.onChosen();
        }}
        // Closing the menu at the click of another would draw this one anew before its change is told.
        onClick={isChosen ? props.onChosen : undefined}
      />
      <span>{name}</span>
    </label>
  );
}

export function Chevron() {
  return (
    <svg class="chevron" viewBox="0 0 12 12" aria-hidden="true">
      <path d="M2.5 4.5L6 8l3.5-3.5" />
    </svg>
  );
}

function spoken(interval: Interval): string {
  const count = Number.parseInt(interval, 10);
  return `${count} ${NAMES[interval.slice(-1)] ?? ''}${count === 1 ? '' : 's'}`;
}

// Jumps to a date: a button, or the key g. Says so where it is none.
import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Dashboard } from '../dashboard/dashboard.ts';
import { zoneOf } from '../dashboard/page-texts.ts';
import { closesMenu } from './closes-menu.ts';
import { momentOf, textsOf } from './jump-date.ts';
import { opensByKey } from './opens-by-key.ts';

export function DateMenu({ dashboard }: { readonly dashboard: Dashboard }) {
  const isOpen = useSignal(false);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => closesMenu(place, isOpen), [isOpen]);
  useEffect(() => opensByKey('g', isOpen), [isOpen]);
  return (
    <div class="dates" ref={place}>
      <button
        type="button"
        class="tool date-button"
        aria-haspopup="dialog"
        aria-expanded={isOpen.value}
        aria-label="Go to a date"
        title="Go to a date (press g)"
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M2.5 3.5h11v10h-11zM2.5 6.5h11M5.5 2v3M10.5 2v3" />
        </svg>
      </button>
      {isOpen.value ? <DateForm dashboard={dashboard} isOpen={isOpen} /> : null}
    </div>
  );
}

function DateForm(props: { readonly dashboard: Dashboard; readonly isOpen: Signal<boolean> }) {
  const { dashboard, isOpen } = props;
  const shown = useSignal(textsOf(dashboard.middleOfView(), zoneOf(dashboard.signals.zone.value)));
  const fault = useSignal('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const go = (event: Event) => {
    event.preventDefault();
    const moment = momentOf(shown.value, zoneOf(dashboard.signals.zone.value));
    if (moment === undefined) {
      fault.value = 'Expected a date such as 2024-03-10.';
      return;
    }
    isOpen.value = false;
    // It tells of its own faults.
    void dashboard.jumpTo(moment);
  };
  return (
    <form class="popover date-popover" aria-label="Go to a date" onSubmit={go}>
      <label>
        <span>Date</span>
        <input
          type="date"
          ref={field}
          value={shown.value.date}
          min="1970-01-01"
          onInput={({ currentTarget }) => {
            shown.value = { ...shown.value, date: currentTarget.value };
          }}
        />
      </label>
      <label>
        <span>Time, {dashboard.signals.zone.value === 'utc' ? 'UTC' : 'local'}</span>
        <input
          type="time"
          value={shown.value.time}
          onInput={({ currentTarget }) => {
            shown.value = { ...shown.value, time: currentTarget.value };
          }}
        />
      </label>
      <button type="submit">Go</button>
      {fault.value === '' ? null : <p role="alert">{fault.value}</p>}
    </form>
  );
}

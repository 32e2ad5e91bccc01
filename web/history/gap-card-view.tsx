// The card over the chart beside what is missing: says what, offers to fetch it, shows how far that is.
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Dashboard } from '../dashboard/dashboard.ts';
import type { GapCard } from './gap-card.ts';

export function GapCardView({ dashboard }: { readonly dashboard: Dashboard }) {
  const { card, x } = dashboard.gaps;
  const place = useRef<HTMLElement>(null);
  // The card goes, and its button with it: the keyboard goes on at the candles.
  const loses =
    card.value === undefined && place.current?.contains(document.activeElement) === true;
  useLayoutEffect(() => {
    if (loses) document.querySelector<HTMLElement>('.chart-canvas')?.focus();
  }, [loses]);
  if (card.value === undefined) return null;
  return <Card shown={card.value} x={x.value} gaps={dashboard.gaps} place={place} />;
}

interface CardProps {
  readonly shown: GapCard;
  readonly x: number;
  readonly gaps: Dashboard['gaps'];
  readonly place: RefObject<HTMLElement | null>;
}

function Card({ shown, x, gaps, place }: CardProps) {
  const { title, note, isFault, progress, isRunning, label } = shown;
  return (
    <section
      class="gap-card"
      aria-label="Missing candles"
      ref={place}
      style={{ '--gap-x': `${Math.round(x)}px` }}
    >
      <p class="gap-title" role="status">
        {title}
      </p>
      {isRunning ? (
        <progress aria-label={title} {...(progress === undefined ? {} : { value: progress })} />
      ) : null}
      {note === '' ? null : (
        <p class="gap-note" {...(isFault ? { role: 'alert' } : {})}>
          {note}
        </p>
      )}
      {label === undefined ? null : (
        <button type="button" class="gap-act" onClick={gaps.act}>
          {label}
        </button>
      )}
      {isRunning ? null : (
        <button
          type="button"
          class="gap-close"
          aria-label="Say no more of it"
          onClick={gaps.dismiss}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M4 4l8 8M12 4l-8 8" />
          </svg>
        </button>
      )}
    </section>
  );
}

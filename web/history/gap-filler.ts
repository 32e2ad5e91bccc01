// Ties what is missing in view to the server's back-fills: what the card says, what its button does, and what is known to be missing for good.
import { type Signal, signal } from '@preact/signals';
import { BACKFILL_LAG_MS, type BackfillView } from '../../src/protocol/backfill.ts';
import type { ZoneOffset } from '../chart/wall-clock.ts';
import { backfillJob } from './backfill-job.ts';
import { type GapCard, gapCard } from './gap-card.ts';
import { type GapView, type MissingSpan, missingSpan, type Span } from './missing-span.ts';

/** Spans remembered in which the exchange has no more candles; beyond it the oldest is forgotten, and offered again. */
export const ASKED_SPANS_MAX = 100;
/** Gaps that the reader has dismissed; beyond it the first is told again. */
export const DISMISSED_MAX = 100;

export interface SeenGaps extends Omit<GapView, 'askedSpans' | 'sought'> {
  readonly symbol: string;
  readonly zone: ZoneOffset;
  /** Whether the server can fetch. */
  readonly canFetch: boolean;
  /** Between the candles around a moment that has none; undefined where there is one, or the moment is to come. */
  gapAt(openTime: number): { readonly from: number; readonly to: number | undefined } | undefined;
}

export interface GapFiller {
  /** Undefined: nothing to say. */
  readonly card: Signal<GapCard | undefined>;
  /** Where it belongs, px from the chart's left. */
  readonly x: Signal<number>;
  /** Looks anew at what is in view. */
  look(): void;
  /** The reader jumped to this moment; undefined: is somewhere else now. */
  seek(openTime: number | undefined): void;
  /** The card's button. */
  act(): void;
  /** The reader does not want to know of it: nothing is said of it as long as the page is open. */
  dismiss(): void;
  close(): void;
}

export interface GapFillerOptions {
  readonly base: string;
  readonly seen: () => SeenGaps | undefined;
  /** The server has fetched what it could; `sought`: the moment it was fetched for. */
  readonly onFilled: (filled: Span, sought: number | undefined) => Promise<void>;
}

export function gapFiller({ base, seen, onFilled }: GapFillerOptions): GapFiller {
  const card = signal<GapCard | undefined>(undefined);
  const x = signal(0);
  const asked: (Span & { readonly series: string })[] = [];
  /** By the candle behind the gap. */
  const dismissed: string[] = [];
  let sought: number | undefined;
  let missing: MissingSpan | undefined;
  let failed: { readonly series: string; readonly span: Span; readonly reason: string } | undefined;
  const job = backfillJob({ base, onEnd, onOver: look });

  async function onEnd(end: BackfillView): Promise<void> {
    const series = seriesOf(end);
    const { from, to, state, reason } = end;
    failed = state === 'failed' ? { series, span: end, reason: reason ?? '' } : undefined;
    const view = seen();
    const isInView = view !== undefined && seriesOf(view) === series;
    // Of nothing missing, all may have come by another way.
    const isNews = end.candles > 0 || (state === 'done' && end.windowsTotal === 0);
    if (isInView && isNews) await onFilled(end, sought);
    if (state !== 'done') return;
    // What is missing in it now, the exchange has not.
    asked.push({ series, from, to: Math.min(to, (view?.now ?? 0) - BACKFILL_LAG_MS) });
    if (asked.length > ASKED_SPANS_MAX) asked.shift();
  }

  function look(): void {
    const view = seen();
    missing = view && lookAt(view);
    x.value = missing?.x ?? view?.middleX ?? 0;
    const next = view && cardOf(view);
    if (JSON.stringify(next) !== JSON.stringify(card.value)) card.value = next;
  }

  function lookAt(view: SeenGaps): MissingSpan | undefined {
    const series = seriesOf(view);
    const gap = sought === undefined ? undefined : view.gapAt(sought);
    const isTold = (to: number | undefined) => !dismissed.includes(`${series} ${to}`);
    return missingSpan({
      ...view,
      gaps: view.gaps.filter(({ to }) => isTold(to)),
      oldest: isTold(view.oldest) ? view.oldest : undefined,
      sought: sought === undefined || gap === undefined ? undefined : { openTime: sought, gap },
      askedSpans: asked.filter((one) => one.series === series),
    });
  }

  function cardOf(view: SeenGaps): GapCard | undefined {
    const ofView = failed?.series === seriesOf(view) ? failed : undefined;
    return gapCard({ ...view, missing, running: job.running.value, failed: ofView });
  }

  return {
    card,
    x,
    look,
    seek(openTime) {
      sought = openTime;
      look();
    },
    act() {
      const view = seen();
      if (job.running.value !== undefined) job.cancel();
      else if (view !== undefined && missing !== undefined && missing.windows > 0) {
        failed = undefined;
        const { symbol, interval } = view;
        job.start({ symbol, interval, ...missing.fetch });
      }
      look();
    },
    dismiss() {
      const view = seen();
      if (view === undefined || missing === undefined) return;
      dismissed.push(`${seriesOf(view)} ${missing.gap.to}`);
      if (dismissed.length > DISMISSED_MAX) dismissed.shift();
      sought = undefined;
      look();
    },
    close: job.close,
  };
}

function seriesOf({ symbol, interval }: { readonly symbol: string; readonly interval: string }) {
  return `${symbol} ${interval}`;
}

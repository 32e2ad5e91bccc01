// The stub server's back-fills: they take their time, and what they filled is there from then on.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { INTERVAL_MS, type Interval } from '../../src/core/market/interval.ts';
import type { BackfillView } from '../../src/protocol/backfill.ts';
import type { FilledSpan } from './generated-candles.ts';
import { answerJson, bodyOf } from './stub-api.ts';

export interface StubBackfills {
  /** As they came. */
  readonly asked: BackfillView[];
  /** Ends those that are held. */
  finish(): void;
  filled(symbol: string, interval: Interval): readonly FilledSpan[];
  answer(request: IncomingMessage, path: string, response: ServerResponse): Promise<void>;
}

/** `outcome`: what becomes of each; `ms`: how long it takes, or that it is half done until `finish`. */
export function stubBackfills(options: {
  readonly outcome: 'filled' | 'none' | { readonly reason: string };
  readonly ms: number | 'held';
}): StubBackfills {
  const { outcome, ms } = options;
  const asked: BackfillView[] = [];
  const startedAt = new Map<string, number>();
  const cancelled = new Set<string>();
  const finished = new Set<string>();

  function shareOf(id: string): number {
    if (ms === 'held') return finished.has(id) ? 1 : 0.5;
    return Math.min(1, (Date.now() - (startedAt.get(id) ?? 0)) / ms);
  }

  function now(view: BackfillView): BackfillView {
    const share = shareOf(view.id);
    const windowsTotal = Math.round((view.to - view.from) / INTERVAL_MS[view.interval]);
    const windows = Math.floor(share * windowsTotal);
    const candles = outcome === 'filled' ? windows : 0;
    const state = cancelled.has(view.id) ? 'cancelled' : share < 1 ? 'running' : 'done';
    const counted = { ...view, candles, windows, windowsTotal, state } as const;
    if (typeof outcome === 'string' || state !== 'done') return counted;
    return { ...counted, state: 'failed', reason: outcome.reason };
  }

  return {
    asked,
    finish() {
      for (const { id } of asked) finished.add(id);
    },
    filled: (symbol, interval) =>
      asked
        .filter((view) => view.symbol === symbol && view.interval === interval)
        .filter((view) => now(view).state === 'done' && outcome === 'filled'),
    async answer(request, path, response) {
      if (request.method === 'POST') {
        const wish = JSON.parse(await bodyOf(request));
        const id = String(asked.length + 1);
        const none = { candles: 0, windows: 0, windowsTotal: 0 };
        const begun: BackfillView = { id, ...wish, state: 'running', ...none };
        asked.push(begun);
        startedAt.set(id, Date.now());
        answerJson(response, { backfill: begun }, 202);
        return;
      }
      const view = asked.find(({ id }) => id === path.split('/').at(-1));
      if (view === undefined) {
        answerJson(response, { error: { code: 'x', message: 'no such back-fill' } }, 404);
        return;
      }
      if (request.method === 'DELETE') cancelled.add(view.id);
      answerJson(response, { backfill: now(view) });
    },
  };
}

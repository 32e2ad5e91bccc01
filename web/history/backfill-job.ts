// The page's one back-fill: asked for, followed to its end, cancelled. What it brings is fetched by its caller.
import { type Signal, signal } from '@preact/signals';
import type { BackfillView } from '../../src/protocol/backfill.ts';
import { type BackfillWish, cancelBackfill, fetchBackfill, startBackfill } from './backfill-api.ts';

/** How often it is looked at. */
export const LOOK_MS = 400;
/** Looks that failed in a row at which it is given up: 20 s and more. The server goes on by itself. */
export const LOOKS_FAILED_MAX = 50;

export interface BackfillJob {
  /** Undefined while none is running. */
  readonly running: Signal<BackfillView | undefined>;
  /** Does nothing while one is running. */
  start(wish: BackfillWish): void;
  cancel(): void;
  close(): void;
}

export function backfillJob(options: {
  readonly base: string;
  /** Of each that was started, once: how it stood at last, failed where the server refused it. It counts as running until that is dealt with. */
  readonly onEnd: (end: BackfillView) => Promise<void>;
  /** None is running any more. */
  readonly onOver: () => void;
}): BackfillJob {
  const { base } = options;
  const running = signal<BackfillView | undefined>(undefined);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;

  function heard(view: BackfillView): void {
    failures = 0;
    const current = running.value;
    // It may have been cancelled while this was under way.
    if (current?.state !== 'running' || (current.id !== '' && current.id !== view.id)) return;
    if (view.state === 'running') {
      running.value = view;
      timer = setTimeout(() => void look(view), LOOK_MS);
      return;
    }
    clearTimeout(timer);
    running.value = view;
    void end(view);
  }

  async function end(view: BackfillView): Promise<void> {
    try {
      await options.onEnd(view);
    } finally {
      running.value = undefined;
      options.onOver();
    }
  }

  function failed(view: BackfillView, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    heard({ ...view, state: 'failed', reason });
  }

  async function look(view: BackfillView): Promise<void> {
    try {
      heard(await fetchBackfill(base, view.id));
    } catch (error) {
      failures += 1;
      if (failures >= LOOKS_FAILED_MAX) failed(view, error);
      else timer = setTimeout(() => void look(view), LOOK_MS);
    }
  }

  return {
    running,
    start(wish) {
      if (running.value !== undefined) return;
      const none = { candles: 0, windows: 0, windowsTotal: 0 };
      const begun: BackfillView = { id: '', ...wish, state: 'running', ...none };
      running.value = begun;
      startBackfill(base, wish).then(heard, (error: unknown) => failed(begun, error));
    },
    cancel() {
      const view = running.value;
      if (view?.state !== 'running' || view.id === '') return;
      clearTimeout(timer);
      // Where that fails it runs on, and is seen to.
      cancelBackfill(base, view.id).then(heard, () => void look(view));
    },
    close: () => clearTimeout(timer),
  };
}

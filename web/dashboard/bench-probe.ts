// With `?bench=1` in the address: notes when each update was on the screen, for bench/latency, and what is held and in view, for bench/scroll. Else does nothing.

export interface DrawnUpdate {
  /** The exchange's `E` of the newest trade in the update, ms. */
  readonly eventTime: number;
  /** Last close, as it came. */
  readonly close: string;
  /** Epoch ms by the page's clock, in the first task after the frame that drew it: its painting is done. */
  readonly drawnAt: number;
}

export interface HeldView {
  /** Open times at the edges of what is in view, ms. */
  readonly viewFrom: number;
  readonly viewTo: number;
  /** Places for candles in view. */
  readonly slots: number;
  readonly rows: number;
  readonly hasOlder: boolean;
}

declare global {
  interface Window {
    __wickstreamDrawn?: DrawnUpdate[];
    __wickstreamView?: () => HeldView;
  }
}

/** Entries kept; the older half falls out beyond it. */
export const DRAWN_MAX = 100_000;

export type BenchProbe = (update: { readonly eventTime: number; readonly close: string }) => void;

export function viewProbe(search: string, view: () => HeldView): void {
  if (isBench(search)) window.__wickstreamView = view;
}

/** To be called right after the chart was given the update. */
export function benchProbe(search: string, now: () => number): BenchProbe {
  if (!isBench(search)) return () => undefined;
  const drawn: DrawnUpdate[] = [];
  window.__wickstreamDrawn = drawn;
  return (update) => {
    // The chart draws in this frame's callbacks too, and asked for its own before. A message is a
    // task: the browser runs it after it has laid out and painted the frame.
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        drawn.push({ ...update, drawnAt: now() });
        if (drawn.length > DRAWN_MAX) drawn.splice(0, DRAWN_MAX / 2);
        port1.close();
      };
      port2.postMessage(undefined);
    });
  };
}

function isBench(search: string): boolean {
  return new URLSearchParams(search).get('bench') === '1';
}

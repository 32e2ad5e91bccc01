// The median delay from the exchange to the screen over the last seconds. Pure but for its own bounded window.

export const DELAY_WINDOW_MS = 10_000;
/** Samples kept: at 60 frames a second more than the window needs. */
export const DELAY_SAMPLES_MAX = 700;

export interface DelayMeter {
  /** `at`: when it was drawn, ms on the page's clock; `delayMs`: since the exchange sent the trade. */
  add(at: number, delayMs: number): void;
  /** Median over the window before `now`; undefined where nothing was drawn in it. */
  median(now: number): number | undefined;
}

export function delayMeter(): DelayMeter {
  let samples: { readonly at: number; readonly delayMs: number }[] = [];
  return {
    add(at, delayMs) {
      samples.push({ at, delayMs });
      if (samples.length > DELAY_SAMPLES_MAX) samples = samples.slice(-DELAY_SAMPLES_MAX / 2);
    },
    median(now) {
      samples = samples.filter(({ at }) => now - at <= DELAY_WINDOW_MS);
      const sorted = samples.map(({ delayMs }) => delayMs).sort((one, other) => one - other);
      return sorted[Math.floor((sorted.length - 1) / 2)];
    },
  };
}

/** `42 ms`, `1.3 s`, `2 min`. A delay below zero is the clocks' error: it reads as zero. */
export function delayText(delayMs: number | undefined): string {
  if (delayMs === undefined) return '–';
  const shown = Math.max(0, delayMs);
  if (shown < 1_000) return `${Math.round(shown)} ms`;
  if (shown < 60_000) return `${(shown / 1_000).toFixed(1)} s`;
  return `${Math.floor(shown / 60_000)} min`;
}

// Every fault there is: how often it comes in an hour and how long it lasts. What it does is `chaos.ts`'s.

export interface FaultKind {
  /** On average, an hour, where it comes alone; mixed with others it is rarer. */
  readonly perHour: number;
  /** Length, seconds; 0: it happens at a moment. */
  readonly seconds: readonly [least: number, most: number];
}

export const FAULT_KINDS = {
  reset: { perHour: 40, seconds: [0, 0] },
  'clean-close': { perHour: 25, seconds: [0, 0] },
  'refuse-connection': { perHour: 6, seconds: [2, 90] },
  'refuse-handshake': { perHour: 6, seconds: [2, 60] },
  'hang-handshake': { perHour: 6, seconds: [2, 60] },
  silence: { perHour: 10, seconds: [2, 90] },
  'drop-trades': { perHour: 8, seconds: [5, 300] },
  'double-trades': { perHour: 8, seconds: [5, 300] },
  'reorder-trades': { perHour: 8, seconds: [5, 300] },
  'slow-network': { perHour: 6, seconds: [5, 120] },
  'malformed-frames': { perHour: 8, seconds: [5, 200] },
  'drop-klines': { perHour: 6, seconds: [10, 300] },
  'double-klines': { perHour: 6, seconds: [10, 300] },
  'late-klines': { perHour: 6, seconds: [60, 600] },
  'klines-before-trades': { perHour: 6, seconds: [60, 600] },
  'rest-429': { perHour: 5, seconds: [1, 60] },
  'rest-418': { perHour: 2, seconds: [60, 180] },
  'rest-500': { perHour: 6, seconds: [5, 90] },
  'rest-403': { perHour: 3, seconds: [5, 60] },
  'rest-html': { perHour: 3, seconds: [5, 60] },
  'rest-hangs': { perHour: 5, seconds: [5, 60] },
  'rest-refused': { perHour: 5, seconds: [5, 60] },
  'rest-aborted': { perHour: 5, seconds: [5, 90] },
  'rest-short-pages': { perHour: 5, seconds: [10, 200] },
  'rest-slow': { perHour: 5, seconds: [10, 200] },
  'rest-lag': { perHour: 5, seconds: [10, 300] },
  'clock-skew': { perHour: 0, seconds: [0, 0] },
  'clock-step': { perHour: 4, seconds: [0, 0] },
  'machine-sleep': { perHour: 3, seconds: [5, 1_500] },
  'machine-suspend': { perHour: 3, seconds: [5, 300] },
  pause: { perHour: 6, seconds: [1, 300] },
  rotation: { perHour: 0, seconds: [0, 0] },
  'server-shutdown': { perHour: 15, seconds: [0, 0] },
  outage: { perHour: 1, seconds: [60, 600] },
  'quiet-symbol': { perHour: 0, seconds: [0, 0] },
  burst: { perHour: 4, seconds: [0, 0] },
  'store-fails': { perHour: 4, seconds: [5, 200] },
  'store-slow': { perHour: 5, seconds: [10, 200] },
  crash: { perHour: 12, seconds: [1, 90] },
  'crash-long': { perHour: 2, seconds: [600, 1_500] },
  restart: { perHour: 8, seconds: [1, 60] },
} as const satisfies Record<string, FaultKind>;

export type FaultName = keyof typeof FAULT_KINDS;

export const FAULT_NAMES = Object.keys(FAULT_KINDS) as [FaultName, ...FaultName[]];

/** Faults of REST, or of what is asked of it, are only met while something is asked: resets come along. */
export function needsResets(name: FaultName): boolean {
  return /^(rest-|refuse-|hang-)/.test(name);
}

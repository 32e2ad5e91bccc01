// The exchange's clock as the page knows it, from pings and status messages. Pure: the page's own clock is an argument.

/** How many pings count: the one with the shortest way decides, old ones fall out. */
export const CLOCK_SAMPLES_MAX = 12;

interface ClockSample {
  readonly roundTripMs: number;
  /** Server's clock minus the page's. */
  readonly offsetMs: number;
}

export interface ClockEstimate {
  /** Newest last. */
  readonly samples: readonly ClockSample[];
  /** Server's minus the page's, from a one-way message: used until the first ping is answered. */
  readonly roughOffsetMs: number | undefined;
  /** Exchange's minus the server's. */
  readonly exchangeOffsetMs: number;
}

export const UNKNOWN_CLOCK: ClockEstimate = {
  samples: [],
  roughOffsetMs: undefined,
  exchangeOffsetMs: 0,
};

/** Takes in the answer to a ping; a reply that arrived before it was sent (the page's clock was set back) is dropped. */
export function withPong(
  estimate: ClockEstimate,
  pong: { readonly sentAt: number; readonly serverTime: number; readonly receivedAt: number },
): ClockEstimate {
  const roundTripMs = pong.receivedAt - pong.sentAt;
  if (roundTripMs < 0) return estimate;
  const sample = { roundTripMs, offsetMs: pong.serverTime - (pong.sentAt + roundTripMs / 2) };
  return { ...estimate, samples: [...estimate.samples, sample].slice(-CLOCK_SAMPLES_MAX) };
}

/** Takes in a status message: how the exchange's clock differs from the server's. */
export function withStatus(
  estimate: ClockEstimate,
  status: {
    readonly exchangeTime: number;
    readonly serverTime: number;
    readonly receivedAt: number;
  },
): ClockEstimate {
  return {
    ...estimate,
    exchangeOffsetMs: status.exchangeTime - status.serverTime,
    roughOffsetMs: status.serverTime - status.receivedAt,
  };
}

/** The exchange's time (ms) when the page's clock shows `localTime`; the page's own time while nothing is known. */
export function exchangeTimeAt(estimate: ClockEstimate, localTime: number): number {
  return localTime + serverOffset(estimate) + estimate.exchangeOffsetMs;
}

function serverOffset({ samples, roughOffsetMs }: ClockEstimate): number {
  const best = samples.reduce<ClockSample | undefined>(
    (least, sample) => (least && least.roundTripMs <= sample.roundTripMs ? least : sample),
    undefined,
  );
  return best?.offsetMs ?? roughOffsetMs ?? 0;
}

// The seam for what goes wrong: hooks on frames, requests and upgrades, and a few ready-made ones.
// Hooks decide; they do no I/O.
import type { IncomingMessage } from 'node:http';
import type { Random } from './random.ts';
import type { RestRequest, RestResponse } from './rest.ts';

/** What a client asks to open a WebSocket with. */
export type UpgradeRequest = Pick<IncomingMessage, 'url' | 'headers'>;

/** One text frame on its way to one client. */
export interface Frame {
  readonly stream: string;
  readonly text: string;
  /** Hold it back for so long (exchange ms); what is sent meanwhile overtakes it. */
  readonly delayMs?: number;
}

/** Which connection a frame is for. */
export interface FrameTarget {
  readonly id: number;
  readonly streams: ReadonlySet<string>;
}

export interface Faults {
  /** What is sent in place of `frame`: nothing, itself, several, others. */
  onFrame?: ((frame: Frame, target: FrameTarget) => readonly Frame[]) | undefined;
  /** What is answered in place of the exchange's answer; `'hang'` never answers. */
  onRequest?: ((request: RestRequest) => RestResponse | 'hang' | undefined) | undefined;
  /** What is answered in place of the exchange's answer to a control message, which then changes nothing. */
  onControl?: ((text: string, target: FrameTarget) => string | undefined) | undefined;
  /** An HTTP status to refuse an upgrade with. */
  onUpgrade?: ((request: UpgradeRequest) => number | undefined) | undefined;
  /** REST answers data as of so long ago (exchange ms). */
  restLagMs?: number | undefined;
  /** REST answers so much later (real ms). */
  restDelayMs?: number | undefined;
}

export type FrameFault = NonNullable<Faults['onFrame']>;

/** Only frames of streams that match, e.g. `/@aggTrade$/`; the others pass. */
export function onStreams(pattern: RegExp, fault: FrameFault): FrameFault {
  return (frame, target) => (pattern.test(frame.stream) ? fault(frame, target) : [frame]);
}

export function dropFrames(probability: number, random: Random): FrameFault {
  return (frame) => (random() < probability ? [] : [frame]);
}

export function doubleFrames(probability: number, random: Random): FrameFault {
  return (frame) => (random() < probability ? [frame, frame] : [frame]);
}

/** Delays frames by up to `delayMsMax`, so that they arrive out of order. */
export function delayFrames(probability: number, delayMsMax: number, random: Random): FrameFault {
  return (frame) =>
    random() < probability ? [{ ...frame, delayMs: random() * delayMsMax }] : [frame];
}

/** Cuts frames short: no longer JSON. */
export function corruptFrames(probability: number, random: Random): FrameFault {
  return (frame) => {
    if (random() >= probability) return [frame];
    return [{ ...frame, text: frame.text.slice(0, Math.floor(random() * frame.text.length)) }];
  };
}

/** One fault after the other, each on what the one before let through. */
export function chainFaults(...faults: readonly FrameFault[]): FrameFault {
  return (frame, target) =>
    faults.reduce<readonly Frame[]>(
      (frames, fault) => frames.flatMap((each) => fault(each, target)),
      [frame],
    );
}

// The JSON of `raw_ticks`. (Codec being written; signatures are final.)
import type { RawTick } from '../core/market/raw-tick.ts';

export function encodeRawTick(_tick: RawTick): string {
  throw new Error('not yet');
}

export function decodeRawTick(_text: string): RawTick {
  throw new Error('not yet');
}

// Frames that are no market data, each a kind a real network or exchange might send. Pure.
import type { Frame } from '../fake-exchange/faults.ts';
import type { Random } from '../fake-exchange/random.ts';

const DAY_MS = 86_400_000;
/** Longer than any limit of a frame's length. */
const HUGE_BYTES = 10 * 1024 * 1024;

type Garbage = (frame: Frame, random: Random) => string;

/** Takes the place of a frame, so that what it said is missing. */
const CHANGED: readonly Garbage[] = [
  ({ text }, random) => text.slice(0, Math.floor(random() * text.length)),
  ({ text }) => text.replace('"p":"', '"p":"-'),
  ({ text }) => text.replace(/"q":"[^"]*"/, '"q":"NaN"'),
  ({ text }) => text.replace(/"T":\d+/, '"T":"soon"'),
  ({ text }) => text.replace(/"[af]":(\d+)/, '"a":$1.5'),
  ({ text }) => text.replace(/"(?:p|o)":/, '"P":'),
  ({ text }) => text.replace(/"data":\{/, '"data":{"e":"kline",'),
];

/** Comes beside a frame. */
const ADDED: readonly Garbage[] = [
  () => '',
  () => 'null',
  () => '[1,2,3]',
  () => '{"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT"}}',
  () => '{"stream":"btcusdt@news","data":{"e":"news","E":1}}',
  ({ text }) => text.replaceAll('BTCUSDT', 'DOGEUSDT').replaceAll('btcusdt', 'dogeusdt'),
  () => `{"stream":"btcusdt@aggTrade","data":${'['.repeat(500)}`,
];

export function garbled(frame: Frame, random: Random): readonly Frame[] {
  const kinds = [...CHANGED, ...ADDED];
  const index = Math.floor(random() * kinds.length);
  const text = kinds[index]?.(frame, random) ?? '';
  return index < CHANGED.length ? [{ ...frame, text }] : [{ ...frame, text }, frame];
}

/** A trade as sent, a year from now or before. */
export function farInTime(frame: Frame, random: Random): readonly Frame[] {
  const days = random() < 0.5 ? -365 : 365;
  const text = frame.text.replace(/"T":(\d+)/, (_, time) => `"T":${Number(time) + days * DAY_MS}`);
  return [{ ...frame, text }];
}

export function hugeFrame(frame: Frame): readonly Frame[] {
  return [{ ...frame, text: `{"stream":"x","data":"${'x'.repeat(HUGE_BYTES)}"}` }, frame];
}

// Frames that are none: cut, of wrong types, of other events, of other times. Nothing of what it makes may be taken for a trade or for a kline.
import type { Draw } from './random.ts';

const YEAR_MS = 365 * 86_400_000;

type Spoil = (text: string, draw: Draw) => string;

const SPOILS: readonly [Spoil, ...Spoil[]] = [
  (text, draw) => text.slice(0, draw.integer(0, text.length - 1)),
  (text) => `${text}}`,
  () => '',
  () => 'null',
  () => '[]',
  () => '{"stream":"btcusdt@aggTrade","data":null}',
  () => '{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade"}}',
  () => '{"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT"}}',
  (text) => text.replace(/"s":"[A-Z]+"/g, '"s":"XXXYYY"'),
  (text) => text.replace(/"[pc]":"/, '$&-'),
  (text) => text.replace(/"(q|v)":"([^"]*)"/, '"$1":$2'),
  (text) => text.replace(/"(a|t)":(\d+)/, '"$1":"$2"'),
  (text) => text.replace(/"(T|n)":\d+/, '"$1":null'),
  (text) => text.replace(/"(p|o)":"[^"]*"/, '"$1":"NaN"'),
  () => `{"stream":"btcusdt@aggTrade","data":"${'x'.repeat(100_000)}"}`,
  (text, draw) => farOff(text, /"([tT])":(\d{13})/g, draw),
  (text, draw) => farOff(text, /"([tTE])":(\d{13})/g, draw),
];

function farOff(text: string, times: RegExp, draw: Draw): string {
  const by = draw.pick([-YEAR_MS, YEAR_MS]);
  return text.replace(times, (_, key, time) => `"${key}":${Number(time) + by}`);
}

export function malformed(text: string, draw: Draw): string {
  const spoiled = draw.pick(SPOILS)(text, draw);
  return spoiled === text ? '{' : spoiled;
}

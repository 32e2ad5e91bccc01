// A seeded market of several symbols: the trades, and the records a live feed would write of them. The same in every process.
import type { RawTick } from '../../../src/core/market/raw-tick.ts';
import { liveTicks } from '../../candles/candle-run.ts';
import { seededRandom } from '../../fake-exchange/random.ts';
import type { AggTrade as WireTrade } from '../../fake-exchange/truth.ts';

export interface MarketShape {
  readonly seed: number;
  readonly symbols: number;
  /** Of all symbols together. */
  readonly trades: number;
  readonly minutes: number;
}

/** An hour before a day, a 3d window, a week and a month end at once. */
export const FROM = Date.UTC(2024, 5, 30, 23);
export const ANCHOR = Date.UTC(2017, 7, 16);
const MINUTE_MS = 60_000;

export function symbolNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `S${String(index).padStart(2, '0')}USDT`);
}

export function endOf({ minutes }: MarketShape): number {
  return FROM + minutes * MINUTE_MS;
}

/** In the order of ids and times. */
export function tradesOf(shape: MarketShape, index: number): WireTrade[] {
  const random = seededRandom(shape.seed * 1_000 + index);
  const count = Math.floor(shape.trades / shape.symbols);
  const stepMs = (2 * (shape.minutes * MINUTE_MS)) / (count + 1);
  let time = FROM;
  let f = 1_000;
  let cents = 1_000_000 + index * 77_777;
  return Array.from({ length: count }, (_, a) => {
    time = Math.min(endOf(shape) - 1, time + random() * stepMs);
    cents = Math.max(1, cents + Math.floor(random() * 201) - 100);
    const n = 1 + Math.floor(random() * 3);
    f += n;
    return {
      a: 10 + a,
      p: `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}000000`,
      q: `${Math.floor(random() * 50)}.${String(1 + Math.floor(random() * 99_999_998)).padStart(8, '0')}`,
      f: f - n,
      l: f - 1,
      T: Math.floor(time),
      m: random() < 0.5,
    };
  });
}

export function ticksOf(shape: MarketShape, index: number): RawTick[] {
  const symbol = symbolNames(shape.symbols)[index] ?? '';
  const options = { from: FROM, to: endOf(shape), anchor: ANCHOR };
  return liveTicks(symbol, tradesOf(shape, index), options);
}

// Candles for the stub server: the same for the same symbol, interval and time, with gaps, corrections and holes to look at.
import {
  DEFAULT_CALENDAR,
  INTERVAL_MS,
  type Interval,
  nextOpenTime,
  openTimeOf,
} from '../../src/core/market/interval.ts';
import { DAY_MS, type EpochMs, epochMs } from '../../src/core/market/time.ts';
import {
  type CandleRow,
  ROW_CLOSED,
  ROW_COMPLETE,
  ROW_DIFFERS,
  ROW_FROM_KLINES,
  ROW_REPAIRED,
  ROW_UNVERIFIED,
  ROW_VERIFIED,
} from '../../src/protocol/browser.ts';

export interface StubSymbol {
  readonly name: string;
  readonly price: number;
  readonly digits: number;
  readonly volume: number;
  readonly volumeDigits: number;
}

export const STUB_SYMBOLS: readonly StubSymbol[] = [
  { name: 'BTCUSDT', price: 90_241.12, digits: 2, volume: 12, volumeDigits: 5 },
  { name: 'ETHUSDT', price: 3_104.55, digits: 2, volume: 210, volumeDigits: 4 },
  { name: 'SOLUSDT', price: 187.41, digits: 2, volume: 2_400, volumeDigits: 3 },
  { name: 'PEPEUSDT', price: 0.00001234, digits: 8, volume: 9e8, volumeDigits: 0 },
  { name: 'TRXUSDT', price: 0.2874, digits: 4, volume: 400_000, volumeDigits: 1 },
];

/** The oldest candle of every symbol lies this many windows before the server's start. */
export const STUB_HISTORY_WINDOWS = 6_000;

const GAP = { from: 130, to: 95 };
const INCOMPLETE_AT = 60;
const CORRECTED_AT = 45;

/** Minutes behind the server's start that have another verdict than verified; ETHUSDT's alone. */
export const STUB_VERDICTS: ReadonlyMap<number, 'repaired' | 'differs' | 'unverified'> = new Map([
  [CORRECTED_AT, 'repaired'],
  [38, 'differs'],
  [24, 'unverified'],
  [88, 'repaired'],
]);
const VERDICT_FLAGS = {
  repaired: ROW_REPAIRED,
  differs: ROW_DIFFERS,
  unverified: ROW_UNVERIFIED,
} as const;

/** What was fetched later; `to` exclusive. */
export interface FilledSpan {
  readonly from: number;
  readonly to: number;
}

/** The candle that opens at `openTime`; undefined in the gap. `origin`: the open time of the server's first live window. */
export function generatedCandle(
  symbol: StubSymbol,
  interval: Interval,
  openTime: EpochMs,
  origin: EpochMs,
  filled: readonly FilledSpan[] = [],
): CandleRow | undefined {
  const step = INTERVAL_MS[interval];
  const behind = Math.round((origin - openTime) / step);
  const isFilled = filled.some(({ from, to }) => openTime >= from && openTime < to);
  const isGap = symbol.name === 'ETHUSDT' && behind >= GAP.to && behind < GAP.from;
  if (isGap && !isFilled) return undefined;
  const at = openTime / step;
  const open = priceAt(symbol, at);
  const close = priceAt(symbol, at + 1);
  const wild = symbol.price * 0.0009 * (0.3 + 1.8 * smooth(at / 37, 5) ** 2);
  const high = Math.max(open, close) + wild * hash(at, 1);
  const low = Math.min(open, close) - wild * hash(at, 2);
  const busy =
    0.25 + 1.5 * smooth(at / 29, 6) ** 2 + Math.abs(close - open) / (symbol.price * 0.0012);
  const volume = symbol.volume * busy * (0.5 + hash(at, 3));
  const taker = volume * (0.3 + 0.4 * hash(at, 4));
  const trades = Math.ceil(40 + 900 * busy * hash(at, 7));
  const firstId = 4_100_000_000 + Math.round(at % 1e6) * 3_000;
  const isOdd = symbol.name === 'ETHUSDT';
  const isIncomplete = isOdd && behind === INCOMPLETE_AT;
  const isOld = behind > 900;
  return [
    openTime,
    eight(open, symbol.digits),
    eight(high, symbol.digits),
    eight(Math.max(low, 10 ** -symbol.digits), symbol.digits),
    eight(close, symbol.digits),
    eight(volume, symbol.volumeDigits),
    eight(volume * ((open + close) / 2), Math.min(8, symbol.digits + symbol.volumeDigits)),
    trades,
    eight(taker, symbol.volumeDigits),
    eight(taker * ((open + close) / 2), Math.min(8, symbol.digits + symbol.volumeDigits)),
    isOld ? null : firstId,
    isOld ? null : firstId + trades - 1,
    isOdd && (behind === CORRECTED_AT || behind === 88) ? 1 : 0,
    ROW_CLOSED |
      (isIncomplete ? 0 : ROW_COMPLETE) |
      (isOld ? ROW_FROM_KLINES : 0) |
      (interval === '1m' && !isOld && !isIncomplete ? verdictFlag(isOdd, behind) : 0),
  ];
}

/** The minute that has just closed has no verdict yet. */
function verdictFlag(isOdd: boolean, behind: number): number {
  const verdict = isOdd ? STUB_VERDICTS.get(behind) : undefined;
  if (verdict !== undefined) return VERDICT_FLAGS[verdict];
  return behind <= 0 ? 0 : ROW_VERIFIED;
}

/** Up to `limit` candles that open before `before`, ascending, and whether there are older ones. */
export function generatedPage(
  symbol: StubSymbol,
  interval: Interval,
  before: number,
  limit: number,
  origin: EpochMs,
  filled: readonly FilledSpan[] = [],
): { readonly candles: CandleRow[]; readonly more: boolean } {
  // 6,000 months would begin long before 1970.
  const kept = origin - STUB_HISTORY_WINDOWS * INTERVAL_MS[interval];
  const oldest = Math.max(DAY_MS * 366, Math.min(kept, ...filled.map(({ from }) => from)));
  const candles: CandleRow[] = [];
  let openTime = openTimeOf(interval, epochMs(before - 1), DEFAULT_CALENDAR);
  while (candles.length < limit && openTime >= oldest) {
    const row = generatedCandle(symbol, interval, openTime, origin, filled);
    if (row !== undefined) candles.push(row);
    openTime = openTimeOf(interval, epochMs(openTime - 1), DEFAULT_CALENDAR);
  }
  return { candles: candles.reverse(), more: openTime >= oldest };
}

/** The open candle after a share (0…1) of its window: it grows to what the closed one will be. */
export function openCandle(
  symbol: StubSymbol,
  interval: Interval,
  now: number,
  origin: EpochMs,
): CandleRow | undefined {
  const openTime = openTimeOf(interval, epochMs(Math.floor(now)), DEFAULT_CALENDAR);
  const whole = generatedCandle(symbol, interval, openTime, origin);
  if (whole === undefined) return undefined;
  const length = nextOpenTime(interval, openTime) - openTime;
  const share = Math.max(0.02, (now - openTime) / length);
  const [, open, high, low, close] = whole.map(Number) as [number, number, number, number, number];
  const swing = (high - low) * 0.4 * Math.sin(now / 700) * (1 - share);
  const price = Math.min(high, Math.max(low, open + (close - open) * share + swing));
  const part = (text: string) => eight(Number(text) * share, symbol.volumeDigits);
  return [
    openTime,
    whole[1],
    eight(Math.max(open, price, open + (high - open) * share), symbol.digits),
    eight(Math.min(open, price, open - (open - low) * share), symbol.digits),
    eight(price, symbol.digits),
    part(whole[5]),
    part(whole[6]),
    Math.ceil(whole[7] * share),
    part(whole[8]),
    part(whole[9]),
    whole[10],
    whole[10] === null ? null : whole[10] + Math.ceil(whole[7] * share),
    0,
    ROW_COMPLETE,
  ];
}

/** A walk that can be asked anywhere: noise of many wave lengths, the long ones the stronger. */
function priceAt(symbol: StubSymbol, at: number): number {
  let sum = 0;
  for (let octave = 0; octave < 11; octave++) {
    sum += (smooth(at / 2 ** octave, octave + 11) - 0.5) * 0.0011 * 1.52 ** octave;
  }
  return symbol.price * Math.exp(sum);
}

function smooth(at: number, seed: number): number {
  const from = Math.floor(at);
  const share = at - from;
  return hash(from, seed) * (1 - share) + hash(from + 1, seed) * share;
}

/** 0…1, the same for the same input. */
function hash(at: number, seed: number): number {
  let value = Math.imul(Math.floor(at) ^ Math.imul(seed, 0x9e3779b1), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0) / 2 ** 32;
}

/** Rounded to the symbol's digits, written with 8 places as the protocol has them. */
function eight(value: number, digits: number): string {
  return `${value.toFixed(digits)}${digits === 0 ? '.' : ''}`.padEnd(
    value.toFixed(digits).length + (digits === 0 ? 1 : 0) + 8 - digits,
    '0',
  );
}

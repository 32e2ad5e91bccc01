// Reads an aggTrade event from raw bytes without JSON.parse or garbage. It accepts only the one known form, every byte checked;
// for anything else it says so and the caller falls back to the schema. Property: what it accepts, the schema reads alike.
import type { AggTrade } from '../core/market/agg-trade.ts';
import { type MarketSymbol, parseMarketSymbol } from '../core/market/symbol.ts';
import { EPOCH_MS_MAX, type EpochMs } from '../core/market/time.ts';

export type MutableAggTrade = { -readonly [Key in keyof AggTrade]: AggTrade[Key] };

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

const FRAME_HEAD = ascii('{"stream":"');
const FRAME_DATA = ascii('","data":');
const EVENT_HEAD = ascii('{"e":"aggTrade","E":');
const KEY_S = ascii(',"s":"');
const KEY_A = ascii('","a":');
const KEY_P = ascii(',"p":"');
const KEY_Q = ascii('","q":"');
const KEY_F = ascii('","f":');
const KEY_L = ascii(',"l":');
const KEY_T = ascii(',"T":');
const KEY_M = ascii(',"m":');
const KEY_IGNORED = ascii(',"M":');
const TRUE = ascii('true');
const FALSE = ascii('false');

const POWERS_OF_TEN = Float64Array.from({ length: 10 }, (_, power) => 10 ** power);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DELETE = 0x7f;
const DOT = 0x2e;
const ZERO = 0x30;
const CLOSE_BRACE = 0x7d;
/** More digits than this might not be exact in a double: left to the schema. */
const DIGITS_MAX = 15;
/** Symbols remembered, so that each trade's name is not built anew. At the limit all are forgotten. */
const SYMBOLS_MAX = 4_096;
const SYMBOL_BYTES_MAX = 40;

/**
 * One scanner reads one trade after the other into `trade`, which it owns and overwrites: copy what
 * must last. Not re-entrant.
 */
export class AggTradeScanner {
  readonly trade: MutableAggTrade = {
    symbol: '' as MarketSymbol,
    aggTradeId: 0,
    priceInteger: 0,
    priceFraction: 0,
    quantityInteger: 0,
    quantityFraction: 0,
    firstTradeId: 0,
    lastTradeId: 0,
    tradeTime: 0 as EpochMs,
    eventTime: 0 as EpochMs,
    buyerIsMaker: false,
  };
  private readonly symbols = new Map<number, MarketSymbol>();
  private at = 0;
  private number = 0;
  private integer = 0;
  private fraction = 0;

  /** A combined stream's frame, `{"stream":"…","data":{…}}`. True where `trade` was read; nothing is promised of it otherwise. */
  scanFrame(bytes: Uint8Array): boolean {
    this.at = 0;
    if (!this.literal(bytes, FRAME_HEAD)) return false;
    this.at = endOfName(bytes, this.at);
    return (
      this.literal(bytes, FRAME_DATA) &&
      this.event(bytes) &&
      bytes[this.at] === CLOSE_BRACE &&
      this.at + 1 === bytes.length
    );
  }

  /** The event alone, at `start` and exactly up to `end`. */
  scanEvent(bytes: Uint8Array, start: number, end: number): boolean {
    this.at = start;
    return this.event(bytes) && this.at === end;
  }

  private event(bytes: Uint8Array): boolean {
    const trade = this.trade;
    if (!this.integerField(bytes, EVENT_HEAD)) return false;
    trade.eventTime = this.number as EpochMs;
    if (!this.literal(bytes, KEY_S) || !this.symbol(bytes)) return false;
    if (!this.integerField(bytes, KEY_A)) return false;
    trade.aggTradeId = this.number;
    if (!this.literal(bytes, KEY_P) || !this.decimal(bytes)) return false;
    trade.priceInteger = this.integer;
    trade.priceFraction = this.fraction;
    if (!this.literal(bytes, KEY_Q) || !this.decimal(bytes)) return false;
    trade.quantityInteger = this.integer;
    trade.quantityFraction = this.fraction;
    if (!this.integerField(bytes, KEY_F)) return false;
    trade.firstTradeId = this.number;
    if (!this.integerField(bytes, KEY_L)) return false;
    trade.lastTradeId = this.number;
    if (!this.integerField(bytes, KEY_T)) return false;
    trade.tradeTime = this.number as EpochMs;
    return this.literal(bytes, KEY_M) && this.boolean(bytes) && this.inRange() && this.end(bytes);
  }

  /** What the schema checks beyond the form. */
  private inRange(): boolean {
    const { firstTradeId, lastTradeId, tradeTime, eventTime } = this.trade;
    return firstTradeId <= lastTradeId && tradeTime <= EPOCH_MS_MAX && eventTime <= EPOCH_MS_MAX;
  }

  /** `}` or `,"M":true}`. */
  private end(bytes: Uint8Array): boolean {
    if (bytes[this.at] !== CLOSE_BRACE) {
      const buyerIsMaker = this.trade.buyerIsMaker;
      if (!this.literal(bytes, KEY_IGNORED) || !this.boolean(bytes)) return false;
      this.trade.buyerIsMaker = buyerIsMaker;
    }
    return bytes[this.at++] === CLOSE_BRACE;
  }

  private integerField(bytes: Uint8Array, key: Uint8Array): boolean {
    return this.literal(bytes, key) && this.digits(bytes);
  }

  /** Four bytes a step, one branch for them: most of a frame is keys, and a byte at a time was most of the scan. */
  private literal(bytes: Uint8Array, expected: Uint8Array): boolean {
    const at = this.at;
    const length = expected.length;
    if (at + length > bytes.length) return false;
    let index = 0;
    for (; index + 3 < length; index += 4) {
      const differs =
        ((bytes[at + index] as number) ^ (expected[index] as number)) |
        ((bytes[at + index + 1] as number) ^ (expected[index + 1] as number)) |
        ((bytes[at + index + 2] as number) ^ (expected[index + 2] as number)) |
        ((bytes[at + index + 3] as number) ^ (expected[index + 3] as number));
      if (differs !== 0) return false;
    }
    for (; index < length; index++) {
      if (bytes[at + index] !== expected[index]) return false;
    }
    this.at = at + length;
    return true;
  }

  private boolean(bytes: Uint8Array): boolean {
    const value = bytes[this.at] === 0x74;
    this.trade.buyerIsMaker = value;
    return this.literal(bytes, value ? TRUE : FALSE);
  }

  /** A whole number without leading zeros. Two int32 chunks of ≤ 9 digits: far cheaper than doubles all the way. */
  private digits(bytes: Uint8Array): boolean {
    let at = this.at;
    const start = at;
    let high = 0;
    let low = 0;
    const highEnd = start + 9;
    let digit = (bytes[at] ?? 0) - ZERO;
    while (digit >= 0 && digit <= 9 && at < highEnd) {
      high = (high * 10 + digit) | 0;
      digit = (bytes[++at] ?? 0) - ZERO;
    }
    const lowStart = at;
    while (digit >= 0 && digit <= 9 && at < start + DIGITS_MAX) {
      low = (low * 10 + digit) | 0;
      digit = (bytes[++at] ?? 0) - ZERO;
    }
    const length = at - start;
    if (length === 0 || (length > 1 && bytes[start] === ZERO)) return false;
    if (digit >= 0 && digit <= 9) return false;
    this.number = lowStart === at ? high : high * (POWERS_OF_TEN[at - lowStart] ?? 0) + low;
    this.at = at;
    return true;
  }

  /** A decimal above zero with at most 8 places. */
  private decimal(bytes: Uint8Array): boolean {
    if (!this.digits(bytes)) return false;
    this.integer = this.number;
    this.fraction = 0;
    if (bytes[this.at] !== DOT) return this.integer > 0;
    const start = this.at + 1;
    let at = start;
    let fraction = 0;
    let digit = (bytes[at] ?? 0) - ZERO;
    while (digit >= 0 && digit <= 9 && at < start + 8) {
      fraction = (fraction * 10 + digit) | 0;
      digit = (bytes[++at] ?? 0) - ZERO;
    }
    if (at === start || (digit >= 0 && digit <= 9)) return false;
    const missing = 8 - (at - start);
    this.fraction = missing === 0 ? fraction : fraction * (POWERS_OF_TEN[missing] ?? 0);
    this.at = at;
    return this.integer > 0 || fraction > 0;
  }

  /** Upper-case ASCII names only; others (they exist) are left to the schema. */
  private symbol(bytes: Uint8Array): boolean {
    const start = this.at;
    let at = start;
    let hash = 0;
    let byte = bytes[at] ?? 0;
    while ((byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39)) {
      hash = (Math.imul(hash, 31) + byte) | 0;
      byte = bytes[++at] ?? 0;
    }
    if (at === start || at - start > SYMBOL_BYTES_MAX) return false;
    const known = this.symbols.get(hash);
    if (known !== undefined && sameText(known, bytes, start, at)) {
      this.trade.symbol = known;
    } else {
      const symbol = parseMarketSymbol(String.fromCharCode(...bytes.subarray(start, at)));
      if (symbol === undefined) return false;
      if (this.symbols.size >= SYMBOLS_MAX) this.symbols.clear();
      this.symbols.set(hash, symbol);
      this.trade.symbol = symbol;
    }
    this.at = at;
    return true;
  }
}

/** Index of the quote that ends a plain name, or of what no plain name holds. (`indexOf` costs four times as much.) */
function endOfName(bytes: Uint8Array, start: number): number {
  let at = start;
  let byte = bytes[at] ?? QUOTE;
  while (byte > QUOTE && byte !== BACKSLASH && byte < DELETE) byte = bytes[++at] ?? QUOTE;
  return at;
}

function sameText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}

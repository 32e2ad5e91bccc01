// The newest closed candles of one symbol and interval, packed: thousands of tails must cost little. Keeps candles; judges none.
import type { Candle, CorrectionReason } from '../../core/market/candle.ts';
import type { Decimal } from '../../core/market/decimal.ts';
import { closeTimeOf, type Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { EpochMs } from '../../core/market/time.ts';
import { CLOSED_TAIL_MAX } from '../live-market.ts';

const REASONS: readonly (CorrectionReason | undefined)[] = [
  undefined,
  'late-trade',
  'repair',
  'rolled-up-correction',
  'rounding',
];

/** 64-bit numbers a candle: openTime, eight decimals, trades, two ids, revision, flags. 112 bytes, where an object takes some 450. */
const LANES = 14;
const FIRST_ROWS = 4;
const LANE_MAX = 2n ** 63n - 1n;
const ID_UNKNOWN = -2n;
const COMPLETE = 1n;
const FROM_KLINES = 2n;
/** The lanes hold only a mark: a value needs more than 64 bits, the candle itself is in `wide`. */
const WIDE = 4n;
const REASON_SHIFT = 3n;

/** Corrections of candles older than the tail, kept because the store may not have them yet; the one corrected longest ago gives way. */
export const OLD_CORRECTIONS_MAX = CLOSED_TAIL_MAX;

/** Ascending by open time, each once: the newest `CLOSED_TAIL_MAX`, and before them what was corrected last of older ones. */
export class CandleTail {
  readonly #symbol: MarketSymbol;
  readonly #interval: Interval;
  #lanes = new BigInt64Array(FIRST_ROWS * LANES);
  #count = 0;
  /** Candles with a value beyond 64 bits (a month of quote volume): rare, kept as they are. */
  #wide: Map<EpochMs, Candle> | undefined;
  /** By open time, in the order they were corrected. */
  #corrected: Map<EpochMs, Candle> | undefined;

  constructor(symbol: MarketSymbol, interval: Interval) {
    this.#symbol = symbol;
    this.#interval = interval;
  }

  /** Open time of the newest candle, −1 where there is none. */
  get newestOpenTime(): number {
    return this.#count === 0 ? -1 : this.#openTimeAt(this.#count - 1);
  }

  /** Takes `candle` in; false where it is already held with the same or a higher revision. */
  put(candle: Candle): boolean {
    let row = this.#count;
    while (row > 0 && this.#openTimeAt(row - 1) >= candle.openTime) row -= 1;
    if (row < this.#count && this.#openTimeAt(row) === candle.openTime) {
      if (candle.revision <= this.#revisionAt(row)) return false;
      this.#write(row, candle);
      return true;
    }
    if (row === 0 && this.#count === CLOSED_TAIL_MAX) return this.#putOld(candle);
    this.#insert(row, candle);
    return true;
  }

  list(): readonly Candle[] {
    const newest = Array.from({ length: this.#count }, (_, row) => this.#read(row));
    if (this.#corrected === undefined) return newest;
    const old = [...this.#corrected.values()].sort((a, b) => a.openTime - b.openTime);
    return [...old, ...newest];
  }

  /** A first state that old is in the store, or came twice: told on, not kept. */
  #putOld(candle: Candle): boolean {
    const held = this.#corrected?.get(candle.openTime);
    if (held !== undefined && candle.revision <= held.revision) return false;
    if (candle.revision === 0) return true;
    this.#corrected ??= new Map();
    this.#corrected.delete(candle.openTime);
    this.#corrected.set(candle.openTime, candle);
    if (this.#corrected.size > OLD_CORRECTIONS_MAX) {
      const [longestAgo] = this.#corrected.keys();
      if (longestAgo !== undefined) this.#corrected.delete(longestAgo);
    }
    return true;
  }

  #insert(row: number, candle: Candle): void {
    if (this.#count === CLOSED_TAIL_MAX) {
      // The store may have its first state only.
      if (this.#revisionAt(0) > 0) this.#putOld(this.#read(0));
      this.#wide?.delete(this.#openTimeAt(0) as EpochMs);
      this.#lanes.copyWithin(0, LANES, row * LANES);
      this.#write(row - 1, candle);
      return;
    }
    this.#reserve(this.#count + 1);
    this.#lanes.copyWithin((row + 1) * LANES, row * LANES, this.#count * LANES);
    this.#count += 1;
    this.#write(row, candle);
  }

  #reserve(rows: number): void {
    if (rows * LANES <= this.#lanes.length) return;
    const wider = new BigInt64Array(Math.min(CLOSED_TAIL_MAX * LANES, this.#lanes.length * 2));
    wider.set(this.#lanes);
    this.#lanes = wider;
  }

  #lane(row: number, lane: number): bigint {
    return this.#lanes[row * LANES + lane] ?? 0n;
  }

  #openTimeAt(row: number): number {
    return Number(this.#lane(row, 0));
  }

  #revisionAt(row: number): number {
    return Number(this.#lane(row, 12));
  }

  #write(row: number, candle: Candle): void {
    const decimals = [
      candle.open,
      candle.high,
      candle.low,
      candle.close,
      candle.volume,
      candle.quoteVolume,
      candle.takerBuyVolume,
      candle.takerBuyQuoteVolume,
    ];
    const wide = decimals.some((value) => value > LANE_MAX);
    const flags =
      (candle.complete ? COMPLETE : 0n) |
      (candle.source === 'klines' ? FROM_KLINES : 0n) |
      (wide ? WIDE : 0n) |
      (BigInt(REASONS.indexOf(candle.reason)) << REASON_SHIFT);
    const values = [
      BigInt(candle.openTime),
      ...(wide ? decimals.map(() => 0n) : decimals),
      BigInt(candle.trades),
      packId(candle.firstTradeId),
      packId(candle.lastTradeId),
      BigInt(candle.revision),
      flags,
    ];
    this.#lanes.set(values, row * LANES);
    if (wide) {
      this.#wide ??= new Map();
      this.#wide.set(candle.openTime, candle);
    } else {
      this.#wide?.delete(candle.openTime);
    }
  }

  #read(row: number): Candle {
    const openTime = this.#openTimeAt(row) as EpochMs;
    const flags = this.#lane(row, 13);
    const wide = (flags & WIDE) === 0n ? undefined : this.#wide?.get(openTime);
    if (wide !== undefined) return wide;
    const decimalAt = (lane: number): Decimal => this.#lane(row, lane);
    const reason = REASONS[Number(flags >> REASON_SHIFT)];
    return {
      symbol: this.#symbol,
      interval: this.#interval,
      openTime,
      closeTime: closeTimeOf(this.#interval, openTime),
      open: decimalAt(1),
      high: decimalAt(2),
      low: decimalAt(3),
      close: decimalAt(4),
      volume: decimalAt(5),
      quoteVolume: decimalAt(6),
      trades: Number(this.#lane(row, 9)),
      takerBuyVolume: decimalAt(7),
      takerBuyQuoteVolume: decimalAt(8),
      firstTradeId: unpackId(this.#lane(row, 10)),
      lastTradeId: unpackId(this.#lane(row, 11)),
      revision: this.#revisionAt(row),
      complete: (flags & COMPLETE) !== 0n,
      source: (flags & FROM_KLINES) === 0n ? 'trades' : 'klines',
      ...(reason === undefined ? {} : { reason }),
    };
  }
}

function packId(id: number | undefined): bigint {
  return id === undefined ? ID_UNKNOWN : BigInt(id);
}

function unpackId(id: bigint): number | undefined {
  return id === ID_UNKNOWN ? undefined : Number(id);
}

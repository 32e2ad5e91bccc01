// The newest closed candles of one symbol and one fixed-length interval, packed: corrections re-roll longer candles from them.
import type { Candle } from '../market/candle.ts';
import { DECIMAL_ONE, decimalOf } from '../market/decimal.ts';
import { closeTimeOf, INTERVAL_MS, type Interval } from '../market/interval.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import type { EpochMs } from '../market/time.ts';

const DECIMALS = [
  'open',
  'high',
  'low',
  'close',
  'volume',
  'quoteVolume',
  'takerBuyVolume',
  'takerBuyQuoteVolume',
] as const;
const AT_OPEN_TIME = 0;
const AT_TRADES = 1;
const AT_FIRST_ID = 2;
const AT_LAST_ID = 3;
const AT_REVISION = 4;
const AT_FLAGS = 5;
const AT_DECIMALS = 6;
const WIDTH = AT_DECIMALS + 2 * DECIMALS.length;
const COMPLETE = 1;
const FROM_KLINES = 2;
const ID_UNKNOWN = -2;
const INTEGER_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * Holds up to `capacity` windows in a row (22 doubles a candle against about 60 as objects; pages
 * never written cost nothing). A newer candle takes the place of the one `capacity` windows before.
 */
export class CandleRing {
  private readonly symbol: MarketSymbol;
  private readonly interval: Interval;
  private readonly stepMs: number;
  private readonly capacity: number;
  private readonly cells: Float64Array;
  /** Candles whose volumes pass 2^53 before the point: kept as they are. */
  private readonly wide = new Map<number, Candle>();
  private newest = -1;

  constructor(symbol: MarketSymbol, interval: '1s' | '1m' | '1d', capacity: number) {
    this.symbol = symbol;
    this.interval = interval;
    this.stepMs = INTERVAL_MS[interval];
    this.capacity = capacity;
    this.cells = new Float64Array(capacity * WIDTH);
  }

  /** Open time of the newest candle ever put; undefined before the first. */
  newestOpenTime(): EpochMs | undefined {
    return this.newest < 0 ? undefined : (this.newest as EpochMs);
  }

  /** True where a candle of that window would be kept now. */
  reaches(openTime: EpochMs): boolean {
    return this.newest < 0 || openTime > this.newest - this.capacity * this.stepMs;
  }

  /** Keeps `candle` unless it is older than the ring reaches. */
  put(candle: Candle): void {
    if (!this.reaches(candle.openTime)) return;
    if (candle.openTime > this.newest) this.newest = candle.openTime;
    const slot = this.slotOf(candle.openTime);
    const cells = this.cells;
    const at = slot * WIDTH;
    this.wide.delete(slot);
    cells[at + AT_OPEN_TIME] = candle.openTime;
    cells[at + AT_TRADES] = candle.trades;
    cells[at + AT_FIRST_ID] = candle.firstTradeId ?? ID_UNKNOWN;
    cells[at + AT_LAST_ID] = candle.lastTradeId ?? ID_UNKNOWN;
    cells[at + AT_REVISION] = candle.revision;
    cells[at + AT_FLAGS] =
      (candle.complete ? COMPLETE : 0) | (candle.source === 'klines' ? FROM_KLINES : 0);
    for (let index = 0; index < DECIMALS.length; index++) {
      const value = candle[DECIMALS[index] as (typeof DECIMALS)[number]];
      const integer = value / DECIMAL_ONE;
      if (integer > INTEGER_MAX) this.wide.set(slot, candle);
      cells[at + AT_DECIMALS + 2 * index] = Number(integer);
      cells[at + AT_DECIMALS + 2 * index + 1] = Number(value % DECIMAL_ONE);
    }
  }

  get(openTime: EpochMs): Candle | undefined {
    const slot = this.slotOf(openTime);
    const at = slot * WIDTH;
    const cells = this.cells;
    if (!this.reaches(openTime) || openTime === 0 || cells[at + AT_OPEN_TIME] !== openTime) {
      return undefined;
    }
    const wide = this.wide.get(slot);
    if (wide !== undefined) return wide;
    const cell = (index: number): number => cells[at + index] as number;
    const id = (index: number): number | undefined =>
      cell(index) === ID_UNKNOWN ? undefined : cell(index);
    const value = (index: number) =>
      decimalOf(cell(AT_DECIMALS + 2 * index), cell(AT_DECIMALS + 2 * index + 1));
    return {
      symbol: this.symbol,
      interval: this.interval,
      openTime,
      closeTime: closeTimeOf(this.interval, openTime),
      open: value(0),
      high: value(1),
      low: value(2),
      close: value(3),
      volume: value(4),
      quoteVolume: value(5),
      trades: cell(AT_TRADES),
      takerBuyVolume: value(6),
      takerBuyQuoteVolume: value(7),
      firstTradeId: id(AT_FIRST_ID),
      lastTradeId: id(AT_LAST_ID),
      revision: cell(AT_REVISION),
      complete: (cell(AT_FLAGS) & COMPLETE) !== 0,
      source: (cell(AT_FLAGS) & FROM_KLINES) !== 0 ? 'klines' : 'trades',
    };
  }

  /** Candles that open in `[from, end)`, ascending; windows without one are left out. */
  *between(from: EpochMs, end: EpochMs): Generator<Candle> {
    for (let openTime = from; openTime < end; openTime = (openTime + this.stepMs) as EpochMs) {
      const candle = this.get(openTime);
      if (candle !== undefined) yield candle;
    }
  }

  private slotOf(openTime: number): number {
    return Math.round(openTime / this.stepMs) % this.capacity;
  }
}

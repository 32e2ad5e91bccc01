// The port to kept candles: SQLite in the data directory, or TimescaleDB. Identity of a candle: (symbol, interval, openTime).
import type { Audit, AuditCounts } from '../core/audit/audit.ts';
import type { AggTrade } from '../core/market/agg-trade.ts';
import type { Candle } from '../core/market/candle.ts';
import type { Interval } from '../core/market/interval.ts';
import type { SymbolWish } from '../core/market/listing.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { EpochMs } from '../core/market/time.ts';

export interface CandleQuery {
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  /** Least openTime, inclusive. */
  readonly from?: EpochMs;
  /** Greatest openTime, inclusive. */
  readonly to?: EpochMs;
  /** Least revision: 1 for corrected candles only. Default 0: all. */
  readonly minRevision?: number;
  readonly limit: number;
  /** Which end counts when more than `limit` match. The answer is ascending either way. */
  readonly take: 'first' | 'last';
}

export interface AuditQuery {
  readonly symbol: MarketSymbol;
  /** Least and greatest openTime, both inclusive. */
  readonly from?: EpochMs;
  readonly to?: EpochMs;
  readonly limit: number;
  /** As in `CandleQuery`. */
  readonly take: 'first' | 'last';
}

/** A span in which no window opens that is kept: of one window or of years. */
export interface Hole {
  /** Inclusive: the end of a kept window, or where the question began. */
  readonly from: EpochMs;
  /** Exclusive: the start of a kept window, or where the question ended. */
  readonly to: EpochMs;
}

export interface HoleQuery {
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  /** Inclusive. */
  readonly from: EpochMs;
  /** Exclusive. */
  readonly to: EpochMs;
  /** The oldest so many. */
  readonly limit: number;
}

export interface TradeQuery {
  readonly symbol: MarketSymbol;
  /** Least and greatest aggTradeId, both inclusive. */
  readonly fromId?: number;
  readonly toId?: number;
  readonly limit: number;
  /** As in `CandleQuery`. */
  readonly take: 'first' | 'last';
}

/** Which trades go: all of `symbol`, or of every symbol where it is left out, of before `before`. */
export interface TradePruning {
  readonly symbol?: MarketSymbol;
  readonly before: EpochMs;
  /** At most so many at once: an embedded store is held up meanwhile. */
  readonly limit: number;
}

/**
 * Aggregate trades, where they are kept. Identity: (symbol, aggTradeId). An id without a trade keeps
 * its place (`isVoid`): by that a reader knows that nothing is missing there. Of times only T is kept.
 */
export interface KeptTrades {
  /** Ascending by id, ids without a trade among them. */
  read(query: TradeQuery): Promise<readonly AggTrade[]>;
  /** The id of the first trade at or after `time`, or of the last at or before it; undefined where there is none. */
  idAt(symbol: MarketSymbol, time: EpochMs, side: 'from' | 'to'): Promise<number | undefined>;
  /** Answers how many went, 0 when all have; a store that drops whole chunks may keep some hours more. */
  prune(pruning: TradePruning): Promise<number>;
}

export interface CandleStore extends AsyncDisposable {
  /**
   * All or none. A candle already there is replaced only by one of a higher revision, a trade already
   * there never, save where its id had none. Any order, any mix of symbols and intervals.
   */
  write(candles: readonly Candle[], trades?: readonly AggTrade[]): Promise<void>;
  readonly trades: KeptTrades;
  /** Ascending by openTime. */
  read(query: CandleQuery): Promise<readonly Candle[]>;
  /** Greatest openTime held; undefined where there is none. */
  lastOpenTime(symbol: MarketSymbol, interval: Interval): Promise<EpochMs | undefined>;
  /** What it takes on disk: the file and what lies beside it, or the whole database. */
  bytes(): Promise<number>;
  /** Every symbol with at least one candle, sorted. */
  symbols(): Promise<readonly MarketSymbol[]>;
  /** Where candles are missing, ascending; the exchange may have left them out itself. */
  holes(query: HoleQuery): Promise<readonly Hole[]>;
  /** Removes candles of `interval` that open before `before`; answers how many. */
  prune(interval: Interval, before: EpochMs): Promise<number>;

  /** All or none. A verdict already there is replaced only by one as new or newer (`at`). */
  writeAudits(audits: readonly Audit[]): Promise<void>;
  /** Ascending by openTime. */
  readAudits(query: AuditQuery): Promise<readonly Audit[]>;
  countAudits(query: Pick<AuditQuery, 'symbol' | 'from' | 'to'>): Promise<AuditCounts>;

  /** Replaces the symbol's wish. */
  writeSymbolWish(wish: SymbolWish): Promise<void>;
  /** Each symbol's newest, sorted by symbol. */
  symbolWishes(): Promise<readonly SymbolWish[]>;
}

/** `code` says what the caller can do: mend the set-up (`unreachable`, `foreign-source`, `newer-version`, `unwritable`, `damaged`), or the value (`out-of-range`). */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code:
    | 'foreign-source'
    | 'newer-version'
    | 'unwritable'
    | 'locked'
    | 'unreachable'
    | 'damaged'
    | 'out-of-range';

  constructor(code: StoreError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

// The newest trades of one symbol, packed in one ring of numbers. Contiguous by id: a jump starts it anew, so that a page never hides a hole.
import type { AggTrade } from '../../core/market/agg-trade.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { EpochMs } from '../../core/market/time.ts';
import { TRADES_KEPT_MAX } from '../live-market.ts';

/** id, price (2), quantity (2), first and last single id, trade time, event time, buyer is maker. */
const LANES = 10;
const FIRST_TRADES = 16;

export class TradeTail {
  readonly #symbol: MarketSymbol;
  #lanes = new Float64Array(FIRST_TRADES * LANES);
  /** Where the oldest is; moves only once the ring has its full size. */
  #start = 0;
  #count = 0;
  #newestId = -1;

  constructor(symbol: MarketSymbol) {
    this.#symbol = symbol;
  }

  /** Takes `trade` in (by copy); false where its id is not above the newest one's. */
  put(trade: AggTrade): boolean {
    if (trade.aggTradeId <= this.#newestId) return false;
    if (trade.aggTradeId !== this.#newestId + 1) {
      this.#start = 0;
      this.#count = 0;
    }
    this.#newestId = trade.aggTradeId;
    this.#write(this.#nextRow(), trade);
    return true;
  }

  /** Ascending by id, without holes. */
  list(): readonly AggTrade[] {
    const rows = this.#lanes.length / LANES;
    return Array.from({ length: this.#count }, (_, index) =>
      this.#read((this.#start + index) % rows),
    );
  }

  #nextRow(): number {
    const rows = this.#lanes.length / LANES;
    if (this.#count < rows) {
      this.#count += 1;
      return (this.#start + this.#count - 1) % rows;
    }
    if (rows < TRADES_KEPT_MAX) {
      const wider = new Float64Array(Math.min(TRADES_KEPT_MAX, rows * 2) * LANES);
      wider.set(this.#lanes);
      this.#lanes = wider;
      this.#count += 1;
      return rows;
    }
    const oldest = this.#start;
    this.#start = (oldest + 1) % rows;
    return oldest;
  }

  #write(row: number, trade: AggTrade): void {
    const at = row * LANES;
    const lanes = this.#lanes;
    lanes[at] = trade.aggTradeId;
    lanes[at + 1] = trade.priceInteger;
    lanes[at + 2] = trade.priceFraction;
    lanes[at + 3] = trade.quantityInteger;
    lanes[at + 4] = trade.quantityFraction;
    lanes[at + 5] = trade.firstTradeId;
    lanes[at + 6] = trade.lastTradeId;
    lanes[at + 7] = trade.tradeTime;
    lanes[at + 8] = trade.eventTime;
    lanes[at + 9] = trade.buyerIsMaker ? 1 : 0;
  }

  #read(row: number): AggTrade {
    const lane = (index: number): number => this.#lanes[row * LANES + index] ?? 0;
    return {
      symbol: this.#symbol,
      aggTradeId: lane(0),
      priceInteger: lane(1),
      priceFraction: lane(2),
      quantityInteger: lane(3),
      quantityFraction: lane(4),
      firstTradeId: lane(5),
      lastTradeId: lane(6),
      tradeTime: lane(7) as EpochMs,
      eventTime: lane(8) as EpochMs,
      buyerIsMaker: lane(9) === 1,
    };
  }
}

// One symbol's aggregate trades in columns, for millions of them. Append only; refuses disorder.
import { fromScaled, toScaled } from './decimal.ts';
import type { AggTrade } from './truth.ts';

const FIRST_CAPACITY = 1_024;

export interface TradeList {
  readonly length: number;
  /** Appends one trade. Throws if its id does not grow or its time goes back. */
  append(trade: AggTrade): void;
  at(index: number): AggTrade;
  price(index: number): bigint;
  quantity(index: number): bigint;
  time(index: number): number;
  /** First index whose id is ≥ `id`; `length` if there is none. */
  indexOfId(id: number): number;
  /** First index whose trade time is ≥ `time`; `length` if there is none. */
  indexOfTime(time: number): number;
}

export function createTradeList(): TradeList {
  let capacity = FIRST_CAPACITY;
  let length = 0;
  let ids = new Float64Array(capacity);
  let firsts = new Float64Array(capacity);
  let counts = new Uint32Array(capacity);
  let times = new Float64Array(capacity);
  let prices = new BigInt64Array(capacity);
  let quantities = new BigInt64Array(capacity);
  let buyerIsMaker = new Uint8Array(capacity);

  function grow(): void {
    capacity *= 2;
    ids = resized(ids, new Float64Array(capacity));
    firsts = resized(firsts, new Float64Array(capacity));
    counts = resized(counts, new Uint32Array(capacity));
    times = resized(times, new Float64Array(capacity));
    const [oldPrices, oldQuantities] = [prices, quantities];
    prices = new BigInt64Array(capacity);
    prices.set(oldPrices);
    quantities = new BigInt64Array(capacity);
    quantities.set(oldQuantities);
    buyerIsMaker = resized(buyerIsMaker, new Uint8Array(capacity));
  }

  function refuseDisorder(trade: AggTrade): void {
    if (length === 0) return;
    const [lastId, lastTime] = [ids[length - 1] ?? 0, times[length - 1] ?? 0];
    if (trade.a <= lastId) throw new RangeError(`Expected an id above ${lastId}, was ${trade.a}`);
    if (trade.T < lastTime) throw new RangeError(`Expected T ≥ ${lastTime}, was ${trade.T}`);
  }

  const time = (index: number) => times[index] ?? 0;
  const price = (index: number) => prices[index] ?? 0n;
  const quantity = (index: number) => quantities[index] ?? 0n;
  return {
    get length() {
      return length;
    },
    append(trade) {
      refuseDisorder(trade);
      if (length === capacity) grow();
      ids[length] = trade.a;
      firsts[length] = trade.f;
      counts[length] = trade.l - trade.f;
      times[length] = trade.T;
      prices[length] = toScaled(trade.p);
      quantities[length] = toScaled(trade.q);
      buyerIsMaker[length] = trade.m ? 1 : 0;
      length += 1;
    },
    at(index) {
      const first = firsts[index] ?? 0;
      return {
        a: ids[index] ?? 0,
        p: fromScaled(price(index)),
        q: fromScaled(quantity(index)),
        f: first,
        l: first + (counts[index] ?? 0),
        T: time(index),
        m: buyerIsMaker[index] === 1,
      };
    },
    price,
    quantity,
    time,
    indexOfId: (id) => lowerBound(length, id, (index) => ids[index] ?? 0),
    indexOfTime: (wanted) => lowerBound(length, wanted, time),
  };
}

function resized<T extends Float64Array | Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** First index in `[0, length)` whose key is ≥ `wanted`; keys do not fall. */
export function lowerBound(length: number, wanted: number, key: (index: number) => number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (key(middle) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The candles that outlive the product's processes, in memory: what a file is to the real one, many times quicker. It knows no range; a test
// compares a whole run on it with the same run on SQLite.
import type { Audit, AuditCounts } from '../../src/core/audit/audit.ts';
import type { Candle } from '../../src/core/market/candle.ts';
import { INTERVALS, type Interval } from '../../src/core/market/interval.ts';
import type { SymbolWish } from '../../src/core/market/listing.ts';
import type { MarketSymbol } from '../../src/core/market/symbol.ts';
import { type EpochMs, epochMs } from '../../src/core/market/time.ts';
import { plainTrades } from '../../src/server/testing/plain-trades.ts';
import type { AuditQuery, CandleQuery, CandleStore } from '../../src/store/candle-store.ts';
import { holesOf } from '../../src/store/holes.ts';

export function keptStore(): CandleStore {
  const series = new Map<MarketSymbol, Map<Interval, Series<Candle>>>();
  const audits = new Map<MarketSymbol, Series<Audit>>();
  const wishes = new Map<MarketSymbol, SymbolWish>();
  const trades = plainTrades();

  function candlesOf(symbol: MarketSymbol, interval: Interval): Series<Candle> {
    const ofSymbol = series.get(symbol) ?? new Map<Interval, Series<Candle>>();
    series.set(symbol, ofSymbol);
    const held = ofSymbol.get(interval) ?? createSeries<Candle>();
    ofSymbol.set(interval, held);
    return held;
  }

  const readAudits = ({ symbol, ...query }: AuditQuery): readonly Audit[] =>
    audits.get(symbol)?.read(query) ?? [];

  return {
    trades,
    async write(candles, writtenTrades = []) {
      trades.write(writtenTrades);
      for (const candle of candles) {
        candlesOf(candle.symbol, candle.interval).put(
          candle,
          (held) => candle.revision > held.revision,
        );
      }
    },
    async read({ symbol, interval, minRevision = 0, ...query }: CandleQuery) {
      const isWanted = ({ revision }: Candle) => revision >= minRevision;
      return series.get(symbol)?.get(interval)?.read(query, isWanted) ?? [];
    },
    lastOpenTime: async (symbol, interval) => series.get(symbol)?.get(interval)?.newest(),
    async symbols() {
      const withCandles = [...series].filter(([, ofSymbol]) =>
        INTERVALS.some((interval) => ofSymbol.get(interval)?.newest() !== undefined),
      );
      return withCandles.map(([symbol]) => symbol).sort();
    },
    bytes: async () => 0,
    async holes(query) {
      const { symbol, interval, from } = query;
      const span = { from, to: epochMs(query.to - 1), limit: Number.MAX_SAFE_INTEGER } as const;
      const held =
        series
          .get(symbol)
          ?.get(interval)
          ?.read({ ...span, take: 'first' }) ?? [];
      const times = held.map(({ openTime }) => openTime);
      const next = (index: number) => times[index] ?? null;
      return holesOf(
        [[-1, next(0)], ...times.map((at, index) => [at, next(index + 1)] as const)],
        query,
      );
    },
    async prune(interval, before) {
      let count = 0;
      for (const ofSymbol of series.values()) count += ofSymbol.get(interval)?.prune(before) ?? 0;
      return count;
    },
    async writeAudits(written) {
      for (const audit of written) {
        const held = audits.get(audit.symbol) ?? createSeries<Audit>();
        audits.set(audit.symbol, held);
        held.put(audit, (other) => audit.at >= other.at);
      }
    },
    readAudits: async (query) => readAudits(query),
    async countAudits(query) {
      const counts = { verified: 0, repaired: 0, differs: 0, unverified: 0 };
      const all = readAudits({ ...query, limit: Number.MAX_SAFE_INTEGER, take: 'first' });
      for (const { verdict } of all) counts[verdict] += 1;
      return counts satisfies AuditCounts;
    },
    async writeSymbolWish(wish) {
      wishes.set(wish.symbol, wish);
    },
    symbolWishes: async () =>
      [...wishes.values()].sort((one, other) => (one.symbol < other.symbol ? -1 : 1)),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

interface SeriesQuery {
  readonly from?: EpochMs;
  readonly to?: EpochMs;
  readonly limit: number;
  readonly take: 'first' | 'last';
}

interface Series<T> {
  put(value: T, replaces: (held: T) => boolean): void;
  read(query: SeriesQuery, isWanted?: (value: T) => boolean): readonly T[];
  newest(): EpochMs | undefined;
  prune(before: EpochMs): number;
}

/** Values by open time, ascending; most are added at the end. */
function createSeries<T extends { readonly openTime: EpochMs }>(): Series<T> {
  let values: T[] = [];
  const places = new Map<EpochMs, T>();
  let isSorted = true;

  function sorted(): T[] {
    if (!isSorted)
      values = [...places.values()].sort((one, other) => one.openTime - other.openTime);
    isSorted = true;
    return values;
  }

  /** First index with an open time ≥ `time`. */
  function indexOf(time: number): number {
    const list = sorted();
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((list[middle]?.openTime ?? 0) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    put(value, replaces) {
      const held = places.get(value.openTime);
      if (held !== undefined && !replaces(held)) return;
      places.set(value.openTime, value);
      if (isSorted && held !== undefined) values[indexOf(value.openTime)] = value;
      else if (isSorted && value.openTime > (values.at(-1)?.openTime ?? -1)) values.push(value);
      else isSorted = false;
    },
    read({ from = 0, to = Number.MAX_SAFE_INTEGER, limit, take }, isWanted) {
      const range = sorted().slice(indexOf(from), indexOf(to + 1));
      const found = isWanted === undefined ? range : range.filter(isWanted);
      if (limit <= 0) return [];
      return take === 'first' ? found.slice(0, limit) : found.slice(-limit);
    },
    newest: () => sorted().at(-1)?.openTime,
    prune(before) {
      const count = indexOf(before);
      for (const { openTime } of sorted().splice(0, count)) places.delete(openTime);
      return count;
    },
  };
}

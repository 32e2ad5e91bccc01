// The simulated market itself: exact in itself at any minute, and like a real one in its statistics (loose bounds, fixed seeds).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import '../../../test/property-seed.ts';
import { type Candle, sameCandleValues } from '../../core/market/candle.ts';
import { type Interval, nextOpenTime, openTimeOf } from '../../core/market/interval.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import { addMs, DAY_MS, epochMs, MINUTE_MS } from '../../core/market/time.ts';
import { dayPlan, firstAggTradeIdOf } from './day-plan.ts';
import { listingOf } from './listing.ts';
import { addLots, emptyLotCandle, type LotCandle } from './lot-candle.ts';
import { type SimulatedSymbol, simulatedSymbol } from './simulated-symbol.ts';
import { type SymbolHistory, symbolHistory } from './symbol-history.ts';

const NAMES = [
  'BTCUSDT',
  'ETHUSDT',
  'PEPEUSDT',
  'XRPUSDT',
  'ETHBTC',
  'NEWCOINUSDT',
  '币安人生USDT',
];
const JOIN = epochMs(Date.UTC(2026, 7, 20, 14, 7));

function symbolOf(name: string, seed = 7, tradesPerSecond?: number): SimulatedSymbol {
  return simulatedSymbol(listingOf(marketSymbol(name), seed, tradesPerSecond));
}

function historyOf(symbol: SimulatedSymbol, days: number): SymbolHistory {
  const work = symbolHistory(symbol, JOIN, days);
  for (;;) {
    const slice = work.next();
    if (slice.done === true) return slice.value;
  }
}

const anyMinute = fc.record({
  name: fc.constantFrom(...NAMES),
  seed: fc.integer(),
  minute: fc.integer({ min: Date.UTC(2019, 0) / MINUTE_MS, max: Date.UTC(2040, 0) / MINUTE_MS }),
  tradesPerSecond: fc.option(fc.constantFrom(0.002, 0.05, 1, 40), { nil: undefined }),
});

describe('simulatedSymbol', () => {
  it("folds any minute's trades to exactly that minute's candle", () => {
    fc.assert(
      fc.property(anyMinute, ({ name, seed, minute, tradesPerSecond }) => {
        const symbol = symbolOf(name, seed, tradesPerSecond);
        const openTime = epochMs(minute * MINUTE_MS);
        const candle = symbol.minute(openTime, 5);
        const folded = emptyLotCandle(openTime, 5, symbol.nextAggTradeId(openTime));
        let lastTime = openTime;
        for (const trade of symbol.trades(openTime)) {
          assert.equal(trade.aggTradeId, folded.nextAggTradeId);
          assert.ok(trade.tradeTime >= lastTime && trade.tradeTime < openTime + MINUTE_MS);
          assert.ok(Number.isSafeInteger(trade.price) && trade.price >= 1);
          assert.ok(Number.isSafeInteger(trade.lots) && trade.lots >= 1);
          lastTime = trade.tradeTime;
          addLots(folded, trade.price, trade.lots, trade.isBuy, 1);
        }
        assert.deepEqual(folded, candle);
        assert.equal(folded.nextAggTradeId, symbol.nextAggTradeId(addMs(openTime, MINUTE_MS)));
      }),
    );
  });

  it('finds any day without the days before it: ids and prices go on across midnight', () => {
    const listing = listingOf(marketSymbol('SOLUSDT'), 3, undefined);
    for (const day of [listing.listedOn / DAY_MS, 20_000, 20_095, 20_096, 25_000]) {
      const today = dayPlan(listing, day);
      const tomorrow = dayPlan(listing, day + 1);
      assert.equal(today.nextAggTradeId.at(-1), tomorrow.nextAggTradeId[0]);
      assert.equal(today.price.at(-1), tomorrow.price[0]);
      assert.ok(firstAggTradeIdOf(listing, day + 1) > firstAggTradeIdOf(listing, day));
    }
  });

  it('starts its ids at 0 on the day of its listing', () => {
    const listing = listingOf(marketSymbol('BTCUSDT'), 7, undefined);
    assert.equal(firstAggTradeIdOf(listing, listing.listedOn / DAY_MS), 0);
  });

  it("sums a minute's seconds up to the minute", () => {
    for (const name of NAMES) {
      const symbol = symbolOf(name);
      const seconds = symbol.seconds(JOIN, symbol.closeBefore(JOIN));
      assert.equal(seconds.length, 60);
      const minute = symbol.minute(JOIN, 1);
      assert.equal(sum(seconds, 'volume'), minute.volume);
      assert.equal(sum(seconds, 'quote'), minute.quote);
      assert.equal(seconds.at(-1)?.close, minute.close);
    }
  });

  it('shows a minute without trades at the last close', () => {
    const symbol = symbolOf('BTCUSDT', 7, 0.002);
    const minutes = historyOf(symbol, 2).get('1m') ?? [];
    const quiet = minutes.filter((candle) => candle.trades === 0);
    assert.ok(quiet.length > 1_000);
    minutes.forEach((candle, index) => {
      const before = minutes[index - 1];
      if (candle.trades > 0 || before === undefined) return;
      assert.equal(candle.open, before.close);
      assert.deepEqual([candle.firstTradeId, candle.lastTradeId, candle.volume], [-1, -1, 0n]);
    });
  });

  it('keeps lots small enough that every sum is exact, at any price and rate', () => {
    for (const name of NAMES) {
      for (const rate of [0.001, 20_000]) {
        const minute = symbolOf(name, 7, rate).minute(JOIN, 1);
        for (const value of [minute.volume, minute.quote]) assert.ok(Number.isSafeInteger(value));
      }
    }
  });
});

describe('symbolHistory', () => {
  const history = historyOf(symbolOf('ETHUSDT'), 45);

  it('has each interval ascending, without a hole, up to the join', () => {
    const { calendar } = symbolOf('ETHUSDT');
    for (const [interval, candles] of history) {
      const last = candles.at(-1);
      if (interval === '1M' && last === undefined) continue;
      assert.ok(last !== undefined, interval);
      assert.equal(last.closeTime + 1, openTimeOf(interval, JOIN, calendar), interval);
      candles.forEach((candle, index) => {
        const next = candles[index + 1];
        if (next === undefined) return;
        assert.equal(nextOpenTime(interval, candle.openTime), next.openTime, interval);
      });
    }
  });

  it('has longer candles that equal their parts summed up', () => {
    for (const [interval, part] of [
      ['3m', '1m'],
      ['1h', '15m'],
      ['6h', '2h'],
      ['1d', '4h'],
      ['1w', '1d'],
    ] as const) {
      const long = history.get(interval)?.at(-1);
      assert.ok(long !== undefined);
      const parts = (history.get(part) ?? []).filter(
        (candle) => candle.openTime >= long.openTime && candle.closeTime <= long.closeTime,
      );
      assert.ok(sameCandleValues(long, naiveRollUp(long, parts)), `${interval} from ${part}`);
    }
  });

  it('does not depend on when it was asked for', () => {
    const shorter = historyOf(symbolOf('ETHUSDT'), 3);
    for (const interval of ['1m', '1h', '1d'] as const) {
      const candles = shorter.get(interval) ?? [];
      assert.ok(candles.length > 0);
      assert.deepEqual(candles, (history.get(interval) ?? []).slice(-candles.length));
    }
  });
});

describe('the simulated market looks like one', () => {
  for (const name of ['BTCUSDT', 'SOLUSDT', 'NEWCOINUSDT']) {
    const history = historyOf(symbolOf(name), 45);
    const returns = (interval: Interval): number[] =>
      (history.get(interval) ?? []).map((candle) => Math.log(ratio(candle)));

    it(`${name}: heavy tails, and no trend to bet on`, () => {
      assert.ok(kurtosis(returns('1m')) > 4, `kurtosis ${kurtosis(returns('1m'))}`);
      for (const interval of ['1m', '5m', '1h'] as const) {
        const correlation = autocorrelation(returns(interval), 1);
        assert.ok(Math.abs(correlation) < 0.12, `${interval}: ${correlation}`);
      }
    });

    it(`${name}: calm and wild times last`, () => {
      for (const interval of ['1m', '15m'] as const) {
        const sizes = returns(interval).map(Math.abs);
        assert.ok(autocorrelation(sizes, 1) > 0.08, interval);
        assert.ok(autocorrelation(sizes, 5) > 0.04, interval);
      }
    });

    it(`${name}: volume comes with movement`, () => {
      const candles = history.get('1m') ?? [];
      const sizes = candles.map((candle) => Math.abs(Math.log(ratio(candle))));
      assert.ok(
        correlation(
          sizes,
          candles.map((candle) => Number(candle.volume)),
        ) > 0.3,
      );
    });

    it(`${name}: days move by percents, wicks are common`, () => {
      const days = returns('1d').map(Math.abs);
      const mean = days.reduce((a, b) => a + b, 0) / days.length;
      assert.ok(mean > 0.005 && mean < 0.08, `mean day ${mean}`);
      const hours = history.get('1h') ?? [];
      const wicks = hours.filter(({ open, close, high, low }) => {
        const body = open > close ? open - close : close - open;
        return high - low > body + body / 4n;
      });
      assert.ok(wicks.length > hours.length / 2);
    });
  }

  it("is as lively at the minutes' ends as within", () => {
    const symbol = symbolOf('BTCUSDT');
    const seconds = new Float64Array(60);
    for (let minute = 0; minute < 100; minute += 1) {
      const openTime = addMs(JOIN, minute * MINUTE_MS);
      for (const trade of symbol.trades(openTime)) {
        const second = Math.floor((trade.tradeTime - openTime) / 1_000);
        seconds[second] = (seconds[second] ?? 0) + 1;
      }
    }
    const usual = mean([...seconds]);
    for (const [second, count] of seconds.entries()) {
      assert.ok(count > usual / 2.5 && count < usual * 2.5, `second ${second}: ${count}, ${usual}`);
    }
  });

  it('has several trades in one millisecond, and sides that lean', () => {
    const trades = [...symbolOf('BTCUSDT').trades(JOIN)];
    const same = trades.filter((trade, i) => trade.tradeTime === trades[i - 1]?.tradeTime);
    assert.ok(same.length > trades.length / 20);
    const minutes = historyOf(symbolOf('BTCUSDT'), 1).get('1m') ?? [];
    const shares = minutes.map((c) => Number(c.takerBuyVolume) / Number(c.volume));
    assert.ok(Math.min(...shares) < 0.35 && Math.max(...shares) > 0.65);
  });
});

function naiveRollUp(long: Candle, parts: readonly Candle[]): Candle {
  const traded = parts.filter((part) => part.trades > 0);
  const total = (of: (candle: Candle) => bigint): bigint =>
    parts.reduce((sum, part) => sum + of(part), 0n);
  return {
    ...long,
    open: traded[0]?.open ?? -1n,
    high: traded.reduce((high, part) => (part.high > high ? part.high : high), 0n),
    low: traded.reduce((low, part) => (part.low < low ? part.low : low), traded[0]?.low ?? -1n),
    close: traded.at(-1)?.close ?? -1n,
    volume: total((part) => part.volume),
    quoteVolume: total((part) => part.quoteVolume),
    takerBuyVolume: total((part) => part.takerBuyVolume),
    takerBuyQuoteVolume: total((part) => part.takerBuyQuoteVolume),
    trades: parts.reduce((sum, part) => sum + part.trades, 0),
    firstTradeId: traded[0]?.firstTradeId,
    lastTradeId: traded.at(-1)?.lastTradeId,
  };
}

function sum(candles: readonly LotCandle[], field: 'volume' | 'quote'): number {
  return candles.reduce((total, candle) => total + candle[field], 0);
}

function ratio(candle: Candle): number {
  return Number(candle.close) / Number(candle.open);
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function kurtosis(values: readonly number[]): number {
  const centre = mean(values);
  const moment = (power: number): number => mean(values.map((value) => (value - centre) ** power));
  return moment(4) / moment(2) ** 2;
}

function autocorrelation(values: readonly number[], lag: number): number {
  return correlation(values.slice(lag), values.slice(0, -lag));
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  const covariance = mean(a.map((value, index) => (value - meanA) * ((b[index] ?? 0) - meanB)));
  const variance = (values: readonly number[], centre: number): number =>
    mean(values.map((value) => (value - centre) ** 2));
  return covariance / Math.sqrt(variance(a, meanA) * variance(b, meanB));
}

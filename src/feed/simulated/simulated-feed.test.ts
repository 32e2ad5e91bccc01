// The simulated feed: the port's promises, and its own: that any restart goes on with the same market (I6, I7).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { manualClock } from '../../../test/contracts/manual-clock.ts';
import {
  marketFeedContract,
  readUntil,
  ticksOf,
} from '../../../test/contracts/market-feed-contract.ts';
import { priceOf, quantityOf } from '../../core/market/agg-trade.ts';
import { type Candle, sameCandleValues } from '../../core/market/candle.ts';
import { DECIMAL_ONE } from '../../core/market/decimal.ts';
import { INTERVALS } from '../../core/market/interval.ts';
import { type RawTick, symbolOfTick } from '../../core/market/raw-tick.ts';
import { type MarketSymbol, marketSymbol } from '../../core/market/symbol.ts';
import { addMs, DAY_MS, type EpochMs, epochMs, MINUTE_MS } from '../../core/market/time.ts';
import type { FeedEvent } from '../market-feed.ts';
import { type SimulatedFeedOptions, simulatedFeed } from './simulated-feed.ts';
import { WATERMARK_DELAY_MS } from './symbol-ticks.ts';

const NOW = epochMs(Date.UTC(2026, 7, 4, 0, 12, 34, 567));
const BITCOIN = marketSymbol('BTCUSDT');
const DOGE = marketSymbol('DOGEUSDT');
const silent = { info: () => undefined };

function feedAt(time = NOW, options: Partial<SimulatedFeedOptions> = {}) {
  const clock = manualClock(time);
  const symbols: readonly MarketSymbol[] = options.symbols ?? [BITCOIN, DOGE];
  const settings = { seed: 7, clock, historyDays: 2, logger: silent, ...options, symbols };
  return { feed: simulatedFeed(settings), clock, symbols };
}

marketFeedContract('simulatedFeed', async () => feedAt());

describe('simulatedFeed', () => {
  it('gives equal records for equal seed, symbol and time, however it is asked (I7)', async () => {
    const first = await ticksOf(feedAt());
    assert.deepEqual(await ticksOf(feedAt()), first);
  });

  it('takes any name in while it runs, and lets it go, also while it joins', async () => {
    const under = feedAt(NOW, { symbols: [BITCOIN] });
    const [ether, sol] = [marketSymbol('ETHUSDT'), marketSymbol('SOLUSDT')];
    let hasBegun = false;
    let isRemoved = false;
    const later: MarketSymbol[] = [];
    const see = (symbol: MarketSymbol): void => {
      if (isRemoved) later.push(symbol);
      if (symbol !== sol || isRemoved) return;
      // Its first records are under way: it joins.
      for (const gone of [sol, BITCOIN]) under.feed.remove(gone);
      isRemoved = true;
    };
    const begin = (): boolean => {
      hasBegun = true;
      for (const symbol of [sol, ether, BITCOIN]) under.feed.add({ symbol, resumeFrom: undefined });
      return false;
    };
    const isEnough = (event: FeedEvent): boolean => {
      if (event.type === 'ticks') event.ticks.map(symbolOfTick).forEach(see);
      if (event.type !== 'state' || event.symbols.size > 0) return false;
      return hasBegun ? isRemoved && later.includes(ether) : begin();
    };
    await readUntil(under, isEnough);
    assert(later.includes(ether));
    assert(!later.slice(-100).includes(sol) && !later.slice(-100).includes(BITCOIN));
  });

  it('is another market for another seed', async () => {
    const trades = (ticks: readonly RawTick[]) => ticks.filter((tick) => tick.type === 'aggTrade');
    const other = await ticksOf(feedAt(NOW, { seed: 8 }));
    assert.notDeepEqual(trades(other).slice(0, 20), trades(await ticksOf(feedAt())).slice(0, 20));
  });

  it('goes on after a restart with the very trades that would have come (I6)', async () => {
    const symbols = [BITCOIN];
    const before = (await ticksOf(feedAt(NOW, { symbols }))).filter(isTrade);
    const resumeFrom = addMs(NOW, -(NOW % MINUTE_MS) + MINUTE_MS);
    const later = feedAt(addMs(NOW, 5 * MINUTE_MS), { symbols });
    const after = (await ticksOf(later, [{ symbol: BITCOIN, resumeFrom }])).filter(isTrade);
    const expected = before.filter((tick) => tick.trade.tradeTime >= resumeFrom);
    assert.ok(expected.length > 50);
    assert.deepEqual(after.slice(0, expected.length), expected);
  });

  it('gives a minute as kline exactly as its trades fold', async () => {
    const symbols = [BITCOIN, DOGE];
    const trades = (await ticksOf(feedAt(NOW, { symbols }))).filter(isTrade);
    const later = await ticksOf(feedAt(addMs(NOW, 20 * MINUTE_MS), { symbols }));
    const joinMinute = NOW - (NOW % MINUTE_MS);
    for (const symbol of symbols) {
      const kline = later.flatMap((tick) =>
        tick.type === 'kline' &&
        tick.candle.symbol === symbol &&
        tick.candle.openTime === joinMinute
          ? [tick.candle]
          : [],
      )[0];
      assert.ok(kline !== undefined);
      const folded = fold(trades, kline);
      assert.ok(sameCandleValues(folded, kline), `${symbol}: kline and trades differ`);
    }
  });

  it('says of each minute, once it is over, the candle that its trades fold to', async () => {
    const trades: RawTick[] = [];
    const klines: Candle[] = [];
    await readUntil(feedAt(NOW, { symbols: [BITCOIN] }), (event) => {
      if (event.type === 'ticks') trades.push(...event.ticks);
      if (event.type === 'evidence' && event.evidence.type === 'kline') {
        klines.push(event.evidence.candle);
      }
      return klines.length === 2;
    });
    const joinMinute = NOW - (NOW % MINUTE_MS);
    assert.deepEqual(
      klines.map(({ openTime }) => openTime),
      [joinMinute, joinMinute + MINUTE_MS],
    );
    for (const kline of klines) {
      assert.ok(sameCandleValues(fold(trades.filter(isTrade), kline), kline));
    }
  });

  it('answers what is asked of minutes that are over: klines, and all trades in parts', async () => {
    const under = feedAt(NOW, { symbols: [BITCOIN], tradesPerSecond: 40 });
    const openTime = addMs(NOW, -(NOW % MINUTE_MS) - 5 * MINUTE_MS);
    const asked = [
      { type: 'trades', symbol: BITCOIN, openTime },
      { type: 'klines', symbol: BITCOIN, from: openTime, to: addMs(NOW, 60 * MINUTE_MS) },
    ] as const;
    for (const request of asked) under.feed.ask(request);
    const events: FeedEvent[] = [];
    let ends = 0;
    await readUntil(under, (event) => {
      // Asked of a symbol that is not live yet, it is passed over.
      if (event.type === 'state' && event.state === 'live') {
        for (const request of asked) under.feed.ask(request);
      }
      events.push(event);
      if (event.type === 'evidence' && event.evidence.type === 'kline') ends += 1;
      return ends === 6;
    });
    const parts = events.flatMap((event) =>
      event.type !== 'ticks'
        ? []
        : event.ticks.flatMap((tick) => (tick.type === 'repair' ? [tick.repair] : [])),
    );
    const klines = events.flatMap((event) =>
      event.type === 'evidence' && event.evidence.type === 'kline' ? [event.evidence.candle] : [],
    );
    assert.ok(parts.length > 1 && parts.length === parts[0]?.parts);
    assert.deepEqual(
      parts.map(({ part }) => part),
      parts.map((_, index) => index),
    );
    const kline = klines.find((candle) => candle.openTime === openTime);
    assert.ok(kline !== undefined);
    const trades = parts.flatMap((part) => part.trades);
    const ticks = trades.map((trade) => ({ type: 'aggTrade' as const, trade }));
    assert.ok(sameCandleValues(fold(ticks, kline), kline));
    const repaired = events.findIndex(
      (event) => event.type === 'evidence' && event.evidence.type === 'repaired',
    );
    assert.ok(repaired > 0);
  });

  it('has history of all intervals, up to the minute it joins', async () => {
    const last = new Map<string, Candle>();
    let count = 0;
    await readUntil(feedAt(NOW, { symbols: [BITCOIN], historyDays: 40 }), (event) => {
      if (event.type === 'history') {
        const candle = event.candles.at(-1);
        if (candle !== undefined) last.set(candle.interval, candle);
        if (candle?.interval === '1m') count = event.candles.length;
      }
      return event.type === 'state' && event.state === 'live';
    });
    assert.deepEqual([...last.keys()].sort(), [...INTERVALS].sort());
    assert.equal(count, 1_500);
    assert.equal(last.get('1m')?.closeTime, NOW - (NOW % MINUTE_MS) - 1);
    assert.equal(last.get('1s')?.closeTime, NOW - (NOW % MINUTE_MS) - 1);
  });

  it('starts a symbol again where the clock jumped further than it catches up', async () => {
    const test = feedAt(NOW, { symbols: [BITCOIN] });
    let starts = 0;
    let watermark = 0;
    const jump = 3 * 60 * MINUTE_MS;
    const jumping = { ...test.clock, now: () => addMs(test.clock.now(), starts > 0 ? jump : 0) };
    const feed = simulatedFeed({ symbols: [BITCOIN], seed: 7, clock: jumping, logger: silent });
    await readUntil({ ...test, feed }, (event) => {
      const ticks = event.type === 'ticks' ? event.ticks : [];
      starts += ticks.filter((tick) => tick.type === 'symbol').length;
      const over = starts === 2 ? ticks.find((tick) => tick.type === 'watermark') : undefined;
      watermark = over?.watermark.time ?? 0;
      return watermark > 0;
    });
    assert.equal(watermark, addMs(NOW, jump + MINUTE_MS - (NOW % MINUTE_MS)));
  });

  for (const [hours, isReached] of [
    [3, true],
    [30, false],
  ] as const) {
    const what = isReached ? 'leaves out no minute' : 'starts fresh, at its day';
    it(`after a jump of ${hours} hours over midnight ${what}`, async () => {
      const start = epochMs(Date.UTC(2026, 7, 4, 23, 50, 30));
      const ticks = await ticksAfterJump(start, hours * 60 * MINUTE_MS);
      const [first, again] = ticks.flatMap((tick, at) => (tick.type === 'symbol' ? [at] : []));
      assert.ok(first !== undefined && again !== undefined);
      const restart = ticks[again];
      const before = ticks.slice(0, again);
      assert.ok(restart?.type === 'symbol');
      const { time, minutesFrom, daysFrom } = restart.start;
      const today = addMs(time, -(time % DAY_MS));
      const stopped = Math.max(
        start,
        ...before.filter(isTrade).map((tick) => tick.trade.tradeTime),
      );
      assert.equal(minutesFrom, isReached ? stopped - (stopped % MINUTE_MS) : today);
      const klines = ticks
        .slice(again)
        .flatMap((tick) => (tick.type === 'kline' ? [tick.candle] : []));
      const opens = (interval: string) =>
        klines.filter((one) => one.interval === interval).map(({ openTime }) => openTime);
      assert.deepEqual(opens('1m'), steps(minutesFrom, time, MINUTE_MS));
      assert.deepEqual(opens('1d'), steps(daysFrom, minutesFrom - (minutesFrom % DAY_MS), DAY_MS));
    });
  }

  it('tells of no trade before its time', async () => {
    const test = feedAt();
    await readUntil(test, (event) => {
      for (const tick of event.type === 'ticks' ? event.ticks : []) {
        const at = tick.type === 'aggTrade' ? tick.trade.tradeTime : 0;
        const over = tick.type === 'watermark' ? tick.watermark.time + WATERMARK_DELAY_MS : 0;
        assert.ok(Math.max(at, over) <= test.clock.now());
      }
      return test.clock.now() > addMs(NOW, 2 * MINUTE_MS);
    });
  });

  it('makes thousands of trades a second where told to', async () => {
    const test = feedAt(NOW, { symbols: [BITCOIN], tradesPerSecond: 3_000 });
    let count = 0;
    const isEnough = (event: FeedEvent): boolean => {
      if (event.type === 'ticks') count += event.ticks.filter(isTrade).length;
      return test.clock.now() > addMs(NOW, 2_000);
    };
    await readUntil(test, isEnough);
    assert.ok(count > 5_000, `${count} trades in 36 s`);
  });

  it('refuses a seed that is no whole number and a rate out of its limits', () => {
    assert.throws(() => feedAt(NOW, { seed: 1.5 }), /Expected a whole seed, was 1.5/);
    assert.throws(() => feedAt(NOW, { tradesPerSecond: 0 }), /trades per second, was 0/);
  });

  it('says so where the clock is before the market was there', () => {
    const { feed } = feedAt(epochMs(0));
    const start = { symbol: BITCOIN, resumeFrom: undefined };
    assert.throws(() => feed.stream([start], new AbortController().signal), /mend the clock/);
  });
});

/** Up to a watermark after the clock jumped by `jump`, some trades after `start`. */
async function ticksAfterJump(start: EpochMs, jump: number): Promise<RawTick[]> {
  const clock = manualClock(start);
  const ticks: RawTick[] = [];
  const starts = () => ticks.filter((tick) => tick.type === 'symbol').length;
  const hasTraded = () => ticks.filter(isTrade).length > 500;
  const jumping = { ...clock, now: () => addMs(clock.now(), hasTraded() ? jump : 0) };
  const feed = simulatedFeed({ symbols: [BITCOIN], seed: 7, clock: jumping, logger: silent });
  await readUntil({ feed, clock, symbols: [BITCOIN] }, (event) => {
    if (event.type === 'ticks') ticks.push(...event.ticks);
    return starts() === 2 && ticks.at(-1)?.type === 'aggTrade';
  });
  return ticks;
}

function steps(from: number, to: number, ms: number): number[] {
  return Array.from({ length: Math.max(0, (to - from) / ms) }, (_, index) => from + index * ms);
}

function isTrade(tick: RawTick): tick is RawTick & { type: 'aggTrade' } {
  return tick.type === 'aggTrade';
}

/** A naive fold, truncating each trade's quote value: what an aggregator does. */
function fold(ticks: readonly (RawTick & { type: 'aggTrade' })[], kline: Candle): Candle {
  const trades = ticks
    .map((tick) => tick.trade)
    .filter((trade) => trade.symbol === kline.symbol)
    .filter((trade) => trade.tradeTime >= kline.openTime && trade.tradeTime <= kline.closeTime);
  const prices = trades.map(priceOf);
  const bought = trades.filter((trade) => !trade.buyerIsMaker);
  const sum = (values: readonly bigint[]): bigint => values.reduce((a, b) => a + b, 0n);
  const quote = (of: typeof trades): bigint =>
    sum(of.map((trade) => (priceOf(trade) * quantityOf(trade)) / DECIMAL_ONE));
  const first = trades[0]?.firstTradeId ?? -1;
  const last = trades.at(-1)?.lastTradeId ?? -1;
  return {
    ...kline,
    open: prices[0] ?? 0n,
    high: prices.reduce((a, b) => (a > b ? a : b), 0n),
    low: prices.reduce((a, b) => (a < b ? a : b)),
    close: prices.at(-1) ?? 0n,
    volume: sum(trades.map(quantityOf)),
    quoteVolume: quote(trades),
    trades: last - first + 1,
    takerBuyVolume: sum(bought.map(quantityOf)),
    takerBuyQuoteVolume: quote(bought),
    firstTradeId: first,
    lastTradeId: last,
  };
}

import '../../../test/property-seed.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AggTrade } from '../../core/market/agg-trade.ts';
import type { RawTick } from '../../core/market/raw-tick.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import { epochMs, MINUTE_MS } from '../../core/market/time.ts';
import { createMinuteGate, EVIDENCE_MINUTES_MAX, type MinuteGate } from './minute-gate.ts';

const symbol = marketSymbol('BTCUSDT');

function trade(aggTradeId: number, time: number): AggTrade {
  return {
    symbol,
    aggTradeId,
    priceInteger: 1,
    priceFraction: 0,
    quantityInteger: 1,
    quantityFraction: 0,
    firstTradeId: aggTradeId * 2,
    lastTradeId: aggTradeId * 2 + 1,
    tradeTime: epochMs(time),
    eventTime: epochMs(time),
    buyerIsMaker: false,
  };
}

function open(): { readonly gate: MinuteGate; readonly said: () => string[] } {
  const ticks: RawTick[] = [];
  const emit = (tick: RawTick) => ticks.push(tick);
  const gate = createMinuteGate({ symbol, openMinute: epochMs(0), lastAggTradeId: 6, emit });
  return { gate, said: () => ticks.map(words) };
}

/** `t7` a trade, `w2:7` the watermark at the end of minute 1 (two minutes), last id 7. */
function words(tick: RawTick): string {
  if (tick.type === 'aggTrade') return `t${tick.trade.aggTradeId}`;
  if (tick.type !== 'watermark') return tick.type;
  return `w${tick.watermark.time / MINUTE_MS}:${tick.watermark.aggTradeId}`;
}

const closed = (minute: number, trades: number, lastTradeId: number | undefined) => ({
  openTime: epochMs(minute * MINUTE_MS),
  trades,
  lastTradeId,
});

test('a closed minute is said when its last trade has come, not before', () => {
  const { gate, said } = open();
  gate.trade(trade(7, 1_000));
  gate.closed(closed(0, 4, 17));
  assert.deepEqual(said(), ['t7']);
  assert.deepEqual(gate.lack(), { type: 'trades' });
  gate.trade(trade(8, 2_000));
  assert.deepEqual(said(), ['t7', 't8', 'w1:8']);
  assert.equal(gate.lack(), undefined);
});

test('each minute of a hole that was passed over shows it: none of them is said to be whole', () => {
  const { gate, said } = open();
  gate.trade(trade(7, 1_000));
  gate.closed(closed(0, 4, 17));
  gate.closed(closed(1, 6, 23));
  gate.closed(closed(2, 0, -1));
  gate.trade(trade(30, 3 * MINUTE_MS + 1));
  assert.deepEqual(said(), ['t7', 'w1:8', 'w2:9', 'w3:9', 't30']);
});

test('a trade of the next minute closes one that has trades; its late closed kline is of no use', () => {
  const { gate, said } = open();
  gate.trade(trade(7, 1_000));
  gate.trade(trade(8, MINUTE_MS));
  gate.closed(closed(0, 2, 15));
  assert.deepEqual(said(), ['t7', 't8']);
});

test('a trade does not jump over a minute that nobody vouched for', () => {
  const { gate, said } = open();
  gate.trade(trade(7, 1_000));
  gate.trade(trade(8, 3 * MINUTE_MS));
  assert.deepEqual(said(), ['t7']);
  assert.deepEqual(gate.lack(), { type: 'evidence', from: 0, to: 3 * MINUTE_MS });
  gate.closed(closed(2, 0, -1));
  gate.closed(closed(1, 0, -1));
  assert.deepEqual(said(), ['t7', 'w2:7', 'w3:7', 't8']);
});

test('a minute the exchange leaves out is passed over without a word', () => {
  const { gate, said } = open();
  gate.trade(trade(7, 1_000));
  gate.trade(trade(8, 4 * MINUTE_MS));
  gate.absent(epochMs(2 * MINUTE_MS));
  gate.closed(closed(1, 0, -1));
  gate.closed(closed(3, 0, -1));
  assert.deepEqual(said(), ['t7', 'w2:7', 'w4:7', 't8']);
});

test('a count by REST closes a minute when as many trades have come', () => {
  const { gate, said } = open();
  gate.closed(closed(0, 4, undefined));
  gate.trade(trade(7, 1_000));
  assert.deepEqual(said(), ['t7']);
  gate.trade(trade(8, 1_000));
  assert.deepEqual(said(), ['t7', 't8', 'w1:8']);
});

test('word of a later minute alone does not close an earlier one', () => {
  const { gate, said } = open();
  gate.closed(closed(1, 0, -1));
  assert.deepEqual(said(), []);
  assert.deepEqual(gate.lack(), { type: 'evidence', from: 0, to: MINUTE_MS });
  gate.closed(closed(0, 0, -1));
  assert.deepEqual(said(), ['w1:6', 'w2:6']);
});

test('the frame’s last trade counts, also where a REST that lags counts less afterwards', () => {
  const { gate, said } = open();
  gate.closed(closed(0, 4, 17));
  gate.closed(closed(0, 2, undefined));
  gate.trade(trade(7, 1_000));
  assert.deepEqual(said(), ['t7']);
  gate.trade(trade(8, 1_000));
  assert.deepEqual(said(), ['t7', 't8', 'w1:8']);
});

test('a minute that exists is not left out because somebody has not found it', () => {
  const { gate, said } = open();
  gate.closed(closed(1, 0, -1));
  gate.absent(epochMs(MINUTE_MS));
  gate.closed(closed(0, 0, -1));
  assert.deepEqual(said(), ['w1:6', 'w2:6']);
});

test('an id without a trade is no trade that a closed minute counts', () => {
  const { gate, said } = open();
  gate.trade(trade(7, 1_000));
  gate.trade({ ...trade(8, 2_000), quantityInteger: 0, lastTradeId: 99 });
  gate.closed(closed(0, 4, 19));
  assert.deepEqual(said(), ['t7', 'void']);
  gate.trade(trade(9, 3_000));
  assert.deepEqual(said(), ['t7', 'void', 't9', 'w1:9']);
});

test('word of minutes farther ahead than a day is not kept: it is asked for when needed', () => {
  const { gate } = open();
  gate.closed(closed(EVIDENCE_MINUTES_MAX, 0, -1));
  gate.absent(epochMs(EVIDENCE_MINUTES_MAX * MINUTE_MS));
  assert.equal(gate.lack(), undefined);
});

interface Day {
  readonly trades: readonly AggTrade[];
  /** Closed klines, and before which trade each comes. */
  readonly klines: readonly {
    readonly before: number;
    readonly kline: ReturnType<typeof closed>;
  }[];
}

function makeDay(counts: readonly number[], delays: readonly number[]): Day {
  const trades: AggTrade[] = [];
  const klines = counts.map((count, minute) => {
    for (let index = 0; index < count; index++) {
      trades.push(trade(7 + trades.length, minute * MINUTE_MS + index));
    }
    const last = count === 0 ? -1 : (6 + trades.length) * 2 + 1;
    const before = trades.length + (delays[minute] ?? 0) - 2;
    return {
      before: Math.min(Math.max(before, 0), counts.length * 3),
      kline: closed(minute, count * 2, last),
    };
  });
  return { trades, klines };
}

function play({ trades, klines }: Day, gate: MinuteGate): void {
  for (const [index, each] of trades.entries()) {
    for (const { before, kline } of klines) if (before === index) gate.closed(kline);
    gate.trade(each);
  }
  for (const { before, kline } of klines) if (before >= trades.length) gate.closed(kline);
}

/** Each trade's time is at or past every minute's end said before it. */
function assertNoTradeBehindItsEnd(spoken: readonly string[], trades: readonly AggTrade[]): void {
  const times = new Map<string, number>(trades.map((one) => [`t${one.aggTradeId}`, one.tradeTime]));
  let end = 0;
  for (const word of spoken) {
    if (word.startsWith('w')) end = Number.parseInt(word.slice(1), 10);
    assert((times.get(word) ?? Number.POSITIVE_INFINITY) >= end * MINUTE_MS, word);
  }
}

test('whenever the closed klines come, trades stay in order, none comes behind its minute’s end, each empty minute is said once', () => {
  const counts = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 });
  const delays = fc.array(fc.nat(6), { minLength: 12, maxLength: 12 });
  fc.assert(
    fc.property(counts, delays, (minutes, late) => {
      const { gate, said } = open();
      const day = makeDay(minutes, late);
      play(day, gate);
      const spoken = said();
      assert.deepEqual(
        spoken.filter((word) => word.startsWith('t')),
        day.trades.map(({ aggTradeId }) => `t${aggTradeId}`),
      );
      const ends = spoken
        .filter((word) => word.startsWith('w'))
        .map((word) => Number.parseInt(word.slice(1), 10));
      const empty = minutes.flatMap((count, minute) => (count === 0 ? [minute + 1] : []));
      for (const end of empty) assert.equal(ends.filter((each) => each === end).length, 1);
      assertNoTradeBehindItsEnd(spoken, day.trades);
      assert.equal(gate.lack(), undefined);
      assert.equal(gate.openMinute(), minutes.length * MINUTE_MS);
    }),
  );
});

import '../../../test/property-seed.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AggTrade } from '../../core/market/agg-trade.ts';
import { epochMs } from '../../core/market/time.ts';
import { createSequencer } from './sequencer.ts';
import { tradeById as trade } from './testing/trade-by-id.ts';

/** Ids 10 … 10 + count − 1, shuffled, some of them several times, and when the series is begun. */
const arrivals = fc.integer({ min: 1, max: 60 }).chain((count) => {
  const ids = Array.from({ length: count }, (_, index) => 10 + index);
  const again = fc.array(fc.constantFrom(...ids), { maxLength: 30 });
  return fc.record({
    count: fc.constant(count),
    order: again.chain((extra) =>
      fc.shuffledSubarray([...ids, ...extra], { minLength: count + extra.length }),
    ),
    beginAfter: fc.integer({ min: 0, max: count }),
  });
});

test('I1: any arrival order, with duplicates, gives each id once, in order', () => {
  fc.assert(
    fc.property(arrivals, ({ count, order, beginAfter }) => {
      const sequencer = createSequencer();
      const passed: number[] = [];
      const take = (trades: readonly AggTrade[]) =>
        passed.push(...trades.map(({ aggTradeId }) => aggTradeId));
      for (const [index, id] of order.entries()) {
        if (index === beginAfter) take(sequencer.begin(10));
        const result = sequencer.accept(trade(id));
        if (result.type === 'ready') take(result.trades);
      }
      if (order.length <= beginAfter) take(sequencer.begin(10));
      assert.deepEqual(
        passed,
        Array.from({ length: count }, (_, index) => 10 + index),
      );
      assert.equal(sequencer.heldCount(), 0);
      assert.equal(sequencer.missing(), undefined);
    }),
  );
});

test('a jump is a gap of exactly the ids between', () => {
  const sequencer = createSequencer();
  sequencer.begin(5);
  assert.deepEqual(sequencer.accept(trade(9)), { type: 'gap', gap: { from: 5, to: 8 } });
  assert.deepEqual(sequencer.accept(trade(7)), { type: 'gap', gap: { from: 5, to: 6 } });
  assert.equal(sequencer.accept(trade(5)).type, 'ready');
  assert.deepEqual(sequencer.missing(), { from: 6, to: 6 });
});

test('beginning later drops what is held below', () => {
  const sequencer = createSequencer();
  for (const id of [3, 4, 6]) sequencer.accept(trade(id));
  assert.deepEqual(
    sequencer.begin(4).map(({ aggTradeId }) => aggTradeId),
    [4],
  );
  assert.deepEqual(sequencer.missing(), { from: 5, to: 5 });
});

test('at the limit a trade is not held, and its id is still wanted', () => {
  const sequencer = createSequencer({ heldMax: 2 });
  sequencer.begin(1);
  sequencer.accept(trade(3));
  sequencer.accept(trade(4));
  assert.equal(sequencer.accept(trade(5)).type, 'full');
  sequencer.accept(trade(1));
  sequencer.accept(trade(2));
  assert.equal(sequencer.next(), 5);
});

test('single trades that do not follow put a trade in doubt until REST has said the same', () => {
  const jumps: [number, number][] = [];
  const onJump = (one: AggTrade, expected: number) => jumps.push([one.aggTradeId, expected]);
  const sequencer = createSequencer({ onJump });
  sequencer.begin(1);
  assert.equal(sequencer.accept(trade(1)).type, 'ready');
  const odd = { ...trade(2), firstTradeId: 7, lastTradeId: 8 };
  assert.deepEqual(sequencer.accept(odd), { type: 'gap', gap: { from: 2, to: 2 } });
  assert.equal(sequencer.accept({ ...trade(3), firstTradeId: 9, lastTradeId: 9 }).type, 'gap');
  const settled = sequencer.accept(odd, 'rest');
  assert(settled.type === 'ready');
  assert.deepEqual(
    settled.trades.map(({ aggTradeId }) => aggTradeId),
    [2, 3],
  );
  assert.deepEqual(jumps, [[2, 2]]);
});

test('REST’s trade takes the place of one in doubt, and of one id with two contents', () => {
  const sequencer = createSequencer();
  sequencer.begin(1);
  const wrong = { ...trade(1), priceInteger: 1 };
  assert.equal(sequencer.accept(wrong).type, 'ready', 'the first may begin with any single trade');
  assert.equal(sequencer.accept({ ...trade(3), priceInteger: 5 }).type, 'gap');
  assert.equal(sequencer.accept(trade(3)).type, 'gap', 'disputed');
  assert.equal(sequencer.accept(trade(2)).type, 'ready');
  assert.deepEqual(sequencer.missing(), { from: 3, to: 3 });
  const settled = sequencer.accept(trade(3), 'rest');
  assert.deepEqual(settled, { type: 'ready', trades: [trade(3)] });
});

test('what is forgotten was never there; a restart knows nothing of before', () => {
  const sequencer = createSequencer();
  sequencer.begin(1);
  sequencer.accept(trade(1));
  sequencer.accept(trade(9_000));
  sequencer.forget(9_000);
  assert.equal(sequencer.missing(), undefined);
  assert.equal(sequencer.accept(trade(2)).type, 'ready');
  sequencer.restart();
  assert.equal(sequencer.accept(trade(1)).type, 'waiting');
  assert.deepEqual(sequencer.begin(1), [trade(1)]);
});

test('a series that goes on at an id takes what is held there as it is, in doubt or not', () => {
  const sequencer = createSequencer();
  sequencer.begin(1);
  sequencer.accept(trade(1));
  sequencer.accept({ ...trade(5), priceInteger: 5 });
  assert.equal(sequencer.accept(trade(5)).type, 'gap', 'disputed');
  assert.deepEqual(
    sequencer.begin(5).map(({ aggTradeId }) => aggTradeId),
    [5],
  );
  // Where it goes on without a break, a jump of single trades is in doubt as ever.
  assert.deepEqual(sequencer.begin(6), []);
  assert.equal(sequencer.accept({ ...trade(6), firstTradeId: 9 }).type, 'gap');
});

test('after an id without a trade the next one may begin with any single trade', () => {
  const sequencer = createSequencer();
  sequencer.begin(1);
  sequencer.accept(trade(1));
  assert.equal(sequencer.accept({ ...trade(2), quantityInteger: 0 }, 'rest').type, 'ready');
  assert.equal(sequencer.accept({ ...trade(3), firstTradeId: 7, lastTradeId: 7 }).type, 'ready');
  assert.equal(sequencer.accept({ ...trade(4), firstTradeId: 9, lastTradeId: 9 }).type, 'gap');
});

test('a restart forgets what is held, of ids the new series will have too', () => {
  const sequencer = createSequencer();
  sequencer.begin(1);
  sequencer.accept(trade(3));
  sequencer.restart();
  assert.equal(sequencer.heldCount(), 0);
  sequencer.accept(trade(2));
  assert.deepEqual(sequencer.begin(2), [trade(2)]);
  assert.equal(sequencer.next(), 3);
});

test('one id with other contents is in doubt, whichever field it is; the time of sending is none', () => {
  const changes: readonly Partial<AggTrade>[] = [
    { priceInteger: 1 },
    { priceFraction: 1 },
    { quantityInteger: 2 },
    { quantityFraction: 1 },
    { firstTradeId: 2 },
    { lastTradeId: 4 },
    { tradeTime: epochMs(4) },
    { buyerIsMaker: true },
  ];
  for (const change of [...changes, { eventTime: epochMs(4) }]) {
    const sequencer = createSequencer();
    sequencer.begin(1);
    sequencer.accept(trade(1));
    sequencer.accept(trade(3));
    sequencer.accept({ ...trade(3), ...change });
    sequencer.accept(trade(2));
    const isInDoubt = sequencer.missing() !== undefined;
    assert.equal(isInDoubt, changes.includes(change), JSON.stringify(change));
  }
});

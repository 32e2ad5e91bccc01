// When a hole is filled, waited for, passed over; which held trade is refused. REST is a function here, and no time passes by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { AggTrade } from '../../core/market/agg-trade.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import { epochMs } from '../../core/market/time.ts';
import { manualClock } from '../../stages/serve/testing/manual-clock.ts';
import { FeedError } from '../market-feed.ts';
import {
  createMissingTrades,
  HOLE_WAIT_MS,
  LATER_MS,
  type MissingTradesOptions,
  RESUME_TRADES_MAX,
} from './missing-trades.ts';
import { PAGE_ROWS_MAX, type Rest, type TradeRange } from './rest.ts';
import { createSequencer } from './sequencer.ts';
import { tradeById as trade } from './testing/trade-by-id.ts';

const symbol = marketSymbol('BTCUSDT');

const upTo = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => trade(from + index));

/** What REST does with a question: rows; `refuses`; `silent`, until nobody waits any more. */
type Answer = readonly AggTrade[] | 'refuses' | 'silent';

/** A series that goes on at 10, unless `next` says otherwise, and a REST that has nothing. */
function start(options: Partial<MissingTradesOptions> & { readonly next?: number | null } = {}) {
  const { next = 10, ...rest } = options;
  const clock = manualClock();
  const passed: number[] = [];
  const rejected: string[] = [];
  const began: number[] = [];
  const asked: TradeRange[] = [];
  let answer: (range: TradeRange) => Answer = () => [];
  const take = (trades: readonly AggTrade[]) =>
    void passed.push(...trades.map(({ aggTradeId }) => aggTradeId));
  const sequencer = createSequencer();
  if (next !== null) sequencer.begin(next);
  const aggTrades: Rest['aggTrades'] = async (_, range, { signal }) => {
    signal.throwIfAborted();
    asked.push(range);
    const given = answer(range);
    if (given === 'refuses') throw new FeedError('refused', 'Please log in');
    if (given !== 'silent') {
      return {
        trades: given,
        isFull: given.length >= (range.limit ?? PAGE_ROWS_MAX),
        rejected: [],
      };
    }
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    return promise;
  };
  const accept = (one: AggTrade, via: 'stream' | 'rest' = 'stream') => {
    const result = sequencer.accept(one, via);
    if (result.type === 'ready') take(result.trades);
  };
  const missing = createMissingTrades({
    symbol,
    rest: { aggTrades } as Rest,
    clock,
    sequencer,
    room: async () => undefined,
    beginTime: () => epochMs(0),
    take: ({ trades }) => {
      for (const one of trades) accept(one, 'rest');
    },
    begin: (id) => take(sequencer.begin(id)),
    beginSeries(id) {
      began.push(id);
      take(sequencer.begin(id));
    },
    reject: (reason) => void rejected.push(reason),
    signal: new AbortController().signal,
    ...rest,
  });
  return {
    clock,
    missing,
    sequencer,
    passed,
    rejected,
    began,
    asked,
    accept,
    answers(by: (range: TradeRange) => Answer) {
      answer = by;
    },
    /** `fetch`, and what came of it so far. */
    fetch() {
      const state: { end: string | undefined } = { end: undefined };
      missing.fetch().then(
        (end) => {
          state.end = end;
        },
        (error: unknown) => {
          state.end = String(error);
        },
      );
      return state;
    },
  };
}

const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await setImmediate();
};

test('I1: a hole is filled by the first answer that has it, and nothing else is asked', async () => {
  const run = start();
  run.accept(trade(13));
  run.answers(({ fromId = 0 }) => upTo(fromId, 12));
  const fetching = run.fetch();
  await settle();
  assert.deepEqual([fetching.end, run.passed], ['done', [10, 11, 12, 13]]);
  assert.deepEqual(run.asked, [{ fromId: 10 }]);
});

test('a hole that REST answers without is passed over after its time, where the trade behind it has a successor', async () => {
  const run = start();
  for (const id of [13, 14]) run.accept(trade(id));
  const fetching = run.fetch();
  await run.clock.advance(HOLE_WAIT_MS - 1_000);
  assert.deepEqual(run.passed, []);
  await run.clock.advance(3_000);
  assert.deepEqual([fetching.end, run.passed], ['done', [13, 14]]);
  assert.match(run.rejected[0] ?? '', /Expected trades 10 to 12 of BTCUSDT: the exchange has not/);
  assert.equal(run.missing.passedHoles(), 1);
});

test('one trade alone behind a hole proves none: REST, answering, has it refused; silent, it waits', async () => {
  const answering = start();
  answering.accept(trade(13));
  const refused = answering.fetch();
  await answering.clock.advance(HOLE_WAIT_MS + 2_000);
  assert.deepEqual([refused.end, answering.passed], ['done', []]);
  assert.match(answering.rejected[0] ?? '', /no other trade followed it/);
  assert.equal(answering.missing.passedHoles(), 0);

  const silent = start();
  silent.answers(() => 'silent');
  silent.accept(trade(13));
  const waiting = silent.fetch();
  await silent.clock.advance(3 * HOLE_WAIT_MS);
  assert.deepEqual([waiting.end, silent.passed, silent.rejected], [undefined, [], []]);
  silent.answers(({ fromId = 0 }) => upTo(fromId, 12));
  await silent.clock.advance(HOLE_WAIT_MS);
  assert.deepEqual([waiting.end, silent.passed], ['done', [10, 11, 12, 13]]);
});

test('a trade whose turn it is and that stays in doubt is taken in the end, though it is alone', async () => {
  const run = start({ next: 9 });
  run.accept(trade(9));
  run.accept({ ...trade(10), firstTradeId: 40, lastTradeId: 40 });
  run.answers(() => 'silent');
  const fetching = run.fetch();
  await run.clock.advance(HOLE_WAIT_MS + 2_000);
  assert.deepEqual([fetching.end, run.passed], ['done', [9, 10]]);
  assert.equal(run.missing.passedHoles(), 0, 'no id was left out');
});

test('a trade far ahead is refused when a lower id is later by more than neighbours may be', async () => {
  for (const [laterBy, isRefused] of [
    [LATER_MS, false],
    [LATER_MS + 1, true],
  ] as const) {
    const run = start();
    run.accept(trade(5_000, 1_000));
    run.answers(({ fromId = 0 }) => (fromId === 10 ? [trade(10, 1_000 + laterBy)] : []));
    run.fetch();
    await settle();
    assert.equal(run.rejected.length, isRefused ? 1 : 0, `${laterBy} ms`);
  }
});

test('a trade among those that REST has is not refused for its time', async () => {
  const run = start();
  run.accept(trade(12, 0));
  run.answers(() => [trade(10, 5_000), trade(13, 5_000)]);
  run.fetch();
  await settle();
  assert.deepEqual([run.passed, run.rejected], [[10], []]);
});

test('progress gives the rest of the hole its whole time again', async () => {
  const run = start();
  for (const id of [15, 16]) run.accept(trade(id));
  run.fetch();
  await run.clock.advance(HOLE_WAIT_MS - 2_000);
  run.answers(({ fromId = 0 }) => upTo(fromId, 12));
  await run.clock.advance(2_000);
  run.answers(() => []);
  await run.clock.advance(HOLE_WAIT_MS - 5_000);
  assert.deepEqual(run.passed, [10, 11, 12]);
  await run.clock.advance(8_000);
  assert.deepEqual(run.passed, [10, 11, 12, 15, 16]);
});

test('a refusal ends the question and not the waiting; another hole has its own time', async () => {
  const run = start();
  run.answers(() => 'refuses');
  for (const id of [13, 14]) run.accept(trade(id));
  for (let asked = 0; asked < 4; asked++) {
    assert.deepEqual(run.passed, []);
    const { end } = await endOf(run.fetch());
    assert.match(end ?? '', /log in/);
    await run.clock.advance(HOLE_WAIT_MS / 4);
  }
  assert.equal((await endOf(run.fetch())).end, 'done');
  assert.deepEqual(run.passed, [13, 14]);
  for (const id of [18, 19]) run.accept(trade(id));
  await endOf(run.fetch());
  await run.clock.advance(HOLE_WAIT_MS / 2);
  // Filled by the stream meanwhile, and the next hole follows: it has just begun.
  for (const id of [15, 16, 17, 23, 24]) run.accept(trade(id));
  await run.clock.advance(HOLE_WAIT_MS / 2 + 2_000);
  assert.match((await endOf(run.fetch())).end ?? '', /log in/);
  assert.equal(run.passed.at(-1), 19);
});

async function endOf(fetching: { end: string | undefined }) {
  await settle();
  return fetching;
}

test('no more can be held: the hole is passed over at once', async () => {
  const run = start();
  run.answers(() => 'silent');
  for (const id of [13, 14]) run.accept(trade(id));
  const fetching = run.fetch();
  await settle();
  run.missing.full();
  await settle();
  assert.deepEqual([fetching.end, run.passed], ['done', [13, 14]]);
});

test('a reader that is behind for longer than a hole may last passes none over', async () => {
  let room = Promise.withResolvers<void>();
  const run = start({ room: () => room.promise });
  for (const id of [13, 14]) run.accept(trade(id));
  run.answers(({ fromId = 0 }) => upTo(fromId, 12));
  const fetching = run.fetch();
  await run.clock.advance(2 * HOLE_WAIT_MS);
  room.resolve();
  room = Promise.withResolvers();
  room.resolve();
  await settle();
  assert.deepEqual([fetching.end, run.passed], ['done', [10, 11, 12, 13, 14]]);
});

test('page after page until REST has no more; more than the limit is too many', async () => {
  for (const [behind, end] of [
    [RESUME_TRADES_MAX, 'done'],
    [RESUME_TRADES_MAX + 1, 'too-many'],
  ] as const) {
    const run = start();
    // After the first page the series is 1,000 further.
    const latest = 10 + PAGE_ROWS_MAX + behind;
    run.answers(({ fromId = latest }) => upTo(fromId, Math.min(fromId + 999, latest)));
    run.missing.expectMore();
    const fetching = run.fetch();
    await settle();
    for (let turn = 0; turn < 40; turn++) await settle();
    assert.equal(fetching.end, end);
    assert.equal(run.passed.at(-1), end === 'done' ? latest : 10 + PAGE_ROWS_MAX - 1);
  }
});

test('a series that REST has nothing of begins at the first trade held', async () => {
  const run = start({ next: null });
  for (const id of [70, 71]) run.accept(trade(id));
  const fetching = run.fetch();
  await run.clock.advance(HOLE_WAIT_MS + 2_000);
  assert.deepEqual([fetching.end, run.began, run.passed], ['done', [70], [70, 71]]);
  assert.deepEqual(run.rejected, [], 'nothing before it is missing');
});

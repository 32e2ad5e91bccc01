// Verdicts come out as they must, whatever the order, loss or repetition of candles and evidence (I1, I3, I5, I6).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../../test/property-seed.ts';
import fc from 'fast-check';
import type { Candle } from '../market/candle.ts';
import { type Decimal, decimal } from '../market/decimal.ts';
import type { Evidence, RepairRequest } from '../market/evidence.ts';
import { marketSymbol } from '../market/symbol.ts';
import { addMs, type EpochMs, epochMs, MINUTE_MS } from '../market/time.ts';
import type { Audit } from './audit.ts';
import {
  CORRECTION_WAIT_MS,
  DECIDED_KEPT,
  FRAME_WAIT_MS,
  KLINE_WAIT_MS_MAX,
  OPEN_MINUTES_MAX,
  OURS_WAIT_MS,
  REPAIRS_MAX,
  REPAIRS_UNDER_WAY_MAX,
  ROUNDING_ASKED_MAX,
  SAME_AGAIN_MS,
} from './audit-limits.ts';
import { Auditor } from './auditor.ts';

const BTCUSDT = marketSymbol('BTCUSDT');
const START = epochMs(Date.UTC(2026, 0, 1));

function minuteAt(index: number, changes: Partial<Candle> = {}): Candle {
  const openTime = addMs(START, index * MINUTE_MS);
  return {
    symbol: BTCUSDT,
    interval: '1m',
    openTime,
    closeTime: addMs(openTime, MINUTE_MS - 1),
    open: decimal('90241.12'),
    high: decimal('90250'),
    low: decimal('90240'),
    close: decimal('90244.5'),
    volume: decimal('1.50001'),
    quoteVolume: decimal('135361.5'),
    trades: 5,
    takerBuyVolume: decimal('0.5'),
    takerBuyQuoteVolume: decimal('45120.5'),
    firstTradeId: 100,
    lastTradeId: 104,
    revision: 0,
    complete: true,
    source: 'trades',
    ...changes,
  };
}

const klineAt = (index: number, changes: Partial<Candle> = {}): Candle =>
  minuteAt(index, { source: 'klines', ...changes });
const byRest = (candle: Candle): Evidence => ({
  type: 'kline',
  via: 'rest',
  candle: { ...candle, firstTradeId: undefined, lastTradeId: undefined },
});
const byStream = (candle: Candle): Evidence => ({ type: 'kline', via: 'stream', candle });

/** An auditor, the time, and all it has said. */
function auditing() {
  const auditor = new Auditor();
  let now = addMs(START, 10 * MINUTE_MS);
  const audits: Audit[] = [];
  const requests: RepairRequest[] = [];
  const decide = (): void => {
    const decisions = auditor.decide(now);
    audits.push(...decisions.audits);
    requests.push(...decisions.requests);
  };
  return {
    auditor,
    audits,
    requests,
    now: () => now,
    ours(candle: Candle) {
      auditor.candle(candle, now);
      decide();
    },
    evidence(evidence: Evidence) {
      auditor.evidence(evidence, now);
      decide();
    },
    /** Lets time go by, deciding whenever something is due. */
    pass(ms: number) {
      const end = addMs(now, ms);
      for (let due = auditor.dueAt(); due <= end; due = auditor.dueAt()) {
        now = Math.max(now, due) as EpochMs;
        decide();
      }
      now = end;
    },
    types: () => requests.map(({ type }) => type),
    last: () => audits.at(-1),
  };
}

test('equal in all fields is verified at once, whichever comes first, and asks for nothing', () => {
  for (const isFrameFirst of [true, false]) {
    const run = auditing();
    if (isFrameFirst) run.evidence(byStream(klineAt(0)));
    run.ours(minuteAt(0));
    if (!isFrameFirst) run.evidence(byStream(klineAt(0)));
    assert.deepEqual(run.audits, [
      {
        symbol: BTCUSDT,
        openTime: START,
        verdict: 'verified',
        revision: 0,
        rounding: false,
        at: run.now(),
      },
    ]);
    run.pass(10 * MINUTE_MS);
    assert.deepEqual(run.requests, []);
    assert.equal(run.auditor.load().open, 0);
  }
});

test('every field counts: one unit of one of them is a difference', () => {
  const fields = ['open', 'high', 'low', 'close', 'volume', 'quoteVolume'] as const;
  const takers = ['takerBuyVolume', 'takerBuyQuoteVolume'] as const;
  for (const field of [...fields, ...takers]) {
    const run = auditing();
    run.evidence(byStream(klineAt(0, { [field]: (minuteAt(0)[field] as Decimal) + 1n })));
    run.ours(minuteAt(0));
    assert.deepEqual([field, run.audits], [field, []]);
  }
  for (const field of ['trades', 'firstTradeId', 'lastTradeId'] as const) {
    const run = auditing();
    run.evidence(byStream(klineAt(0, { [field]: 7 })));
    run.ours(minuteAt(0));
    assert.deepEqual([field, run.audits], [field, []]);
  }
});

test('missing frames are asked for by REST after the wait, all of them in one request', () => {
  const run = auditing();
  run.ours(minuteAt(0));
  run.ours(minuteAt(1));
  run.pass(FRAME_WAIT_MS - 1);
  assert.deepEqual(run.requests, []);
  run.pass(1);
  const to = addMs(START, 2 * MINUTE_MS);
  assert.deepEqual(run.requests, [{ type: 'klines', symbol: BTCUSDT, from: START, to }]);
  run.evidence(byRest(klineAt(0)));
  run.evidence(byRest(klineAt(1)));
  assert.deepEqual(
    run.audits.map(({ verdict }) => verdict),
    ['verified', 'verified'],
  );
});

test('a frame that differs is asked for by REST until it is the same twice; equal then, it is verified', () => {
  const run = auditing();
  run.evidence(byStream(klineAt(0, { trades: 4 })));
  run.ours(minuteAt(0));
  assert.deepEqual(run.types(), ['klines']);
  run.evidence(byRest(klineAt(0, { trades: 4 })));
  run.pass(SAME_AGAIN_MS);
  run.evidence(byRest(klineAt(0)));
  assert.deepEqual([run.last()?.verdict, run.last()?.revision], ['verified', 0]);
  assert.ok(!run.types().includes('trades'));
});

test('the same answer twice at once settles nothing', () => {
  const run = auditing();
  const other = klineAt(0, { trades: 4 });
  run.evidence(byStream(other));
  run.ours(minuteAt(0));
  run.evidence(byRest(other));
  run.pass(SAME_AGAIN_MS - 1);
  run.evidence(byRest(other));
  assert.ok(!run.types().includes('trades'));
  run.pass(1);
  run.evidence(byRest(other));
  assert.deepEqual(run.requests.at(-1), { type: 'trades', symbol: BTCUSDT, openTime: START });
});

/** Up to the request for the trades again. */
function differing(run: ReturnType<typeof auditing>, kline: Candle, ours = minuteAt(0)): void {
  run.evidence(byStream(kline));
  run.ours(ours);
  run.evidence(byRest(kline));
  run.pass(SAME_AGAIN_MS);
  run.evidence(byRest(kline));
  assert.equal(run.requests.at(-1)?.type, 'trades');
}

test('a correction that equals the exchange is a repair, whether it comes before or after its answer', () => {
  for (const isAnswerFirst of [true, false]) {
    const run = auditing();
    differing(run, klineAt(0, { trades: 6 }));
    if (isAnswerFirst) run.evidence({ type: 'repaired', symbol: BTCUSDT, openTime: START });
    run.ours(minuteAt(0, { trades: 6, revision: 1, reason: 'repair' }));
    if (!isAnswerFirst) run.evidence({ type: 'repaired', symbol: BTCUSDT, openTime: START });
    assert.deepEqual([run.last()?.verdict, run.last()?.revision], ['repaired', 1]);
    assert.equal(run.last()?.ours, undefined);
    run.pass(10 * MINUTE_MS);
    assert.equal(run.auditor.load().open, 0);
  }
});

test('differs only when a repair gave ours again and a fresh kline still disagrees; with both values', () => {
  const run = auditing();
  const kline = klineAt(0, { trades: 6 });
  differing(run, kline);
  run.evidence({ type: 'repaired', symbol: BTCUSDT, openTime: START });
  run.pass(CORRECTION_WAIT_MS);
  assert.equal(run.requests.at(-1)?.type, 'klines');
  run.evidence(byRest(kline));
  assert.deepEqual(run.audits, []);
  run.pass(SAME_AGAIN_MS);
  run.evidence(byRest(kline));
  const { verdict, reason, ours, theirs } = run.last() ?? {};
  assert.equal(verdict, 'differs');
  assert.match(String(reason), /trades 5 against 6/);
  assert.deepEqual([ours?.trades, theirs?.trades], [5, 6]);
});

test('a fresh kline that agrees after a repair without effect is verified', () => {
  const run = auditing();
  differing(run, klineAt(0, { trades: 6 }));
  run.evidence({ type: 'repaired', symbol: BTCUSDT, openTime: START });
  run.pass(CORRECTION_WAIT_MS);
  run.evidence(byRest(klineAt(0)));
  assert.equal(run.last()?.verdict, 'verified');
});

test('repairs that change it and never make it equal end as differs', () => {
  const run = auditing();
  const kline = klineAt(0, { trades: 9 });
  differing(run, kline);
  for (let revision = 1; revision <= REPAIRS_MAX; revision++) {
    run.ours(minuteAt(0, { trades: 5 + (revision % 2), revision, reason: 'repair' }));
    run.evidence(byRest(kline));
    run.pass(SAME_AGAIN_MS);
    run.evidence(byRest(kline));
  }
  assert.equal(run.last()?.verdict, 'differs');
  assert.equal(run.types().filter((type) => type === 'trades').length, REPAIRS_MAX);
});

test('an exchange that never answers, or never settles, leaves it unverified after two minutes; an answer later still counts', () => {
  const silent = auditing();
  silent.ours(minuteAt(0));
  silent.pass(FRAME_WAIT_MS + 2 * KLINE_WAIT_MS_MAX);
  assert.deepEqual(
    silent.audits.map(({ verdict }) => verdict),
    ['unverified'],
  );
  silent.evidence(byRest(klineAt(0)));
  assert.equal(silent.last()?.verdict, 'verified');

  const restless = auditing();
  restless.evidence(byStream(klineAt(0, { trades: 1 })));
  restless.ours(minuteAt(0));
  for (let trades = 10; restless.audits.length === 0; trades++) {
    assert.ok(trades < 100);
    restless.evidence(byRest(klineAt(0, { trades })));
    restless.pass(SAME_AGAIN_MS);
  }
  assert.equal(restless.last()?.verdict, 'unverified');
  assert.match(String(restless.last()?.reason), /did not settle/);
  assert.ok(!restless.types().includes('trades'));
});

test('an incomplete candle asks for its trades at once and again, ever more seldom, until it is corrected', () => {
  const run = auditing();
  run.ours(minuteAt(0, { complete: false, trades: 3 }));
  assert.deepEqual(run.requests, [{ type: 'trades', symbol: BTCUSDT, openTime: START }]);
  run.pass(24 * 60 * MINUTE_MS);
  const asked = run.requests.length;
  assert.ok(asked > 20 && asked < 40, `asked ${asked} times in a day`);
  run.evidence(byStream(klineAt(0)));
  run.ours(minuteAt(0, { revision: 1, reason: 'repair' }));
  assert.deepEqual([run.last()?.verdict, run.last()?.revision], ['repaired', 1]);
});

test('an incomplete candle is never verified, though its numbers are equal', () => {
  const run = auditing();
  run.evidence(byStream(klineAt(0)));
  run.ours(minuteAt(0, { complete: false }));
  assert.deepEqual(run.audits, []);
  assert.deepEqual(run.types(), ['trades']);
});

test("taken from the exchange's klines, an incomplete one is repaired all the same: its seconds lack trades", () => {
  const run = auditing();
  run.ours(minuteAt(0, { complete: false, source: 'klines' }));
  assert.deepEqual([run.audits, run.types()], [[], ['trades']]);
  run.ours(minuteAt(0, { revision: 1, reason: 'repair' }));
  run.evidence(byStream(klineAt(0)));
  assert.equal(run.last()?.verdict, 'repaired');
});

test('what cannot be repaired says so, with what is known, and an incomplete one goes on being asked for', () => {
  const run = auditing();
  run.evidence(byStream(klineAt(0)));
  run.ours(minuteAt(0, { complete: false, trades: 3 }));
  const reason = 'the exchange has no trades 7 to 9';
  run.evidence({ type: 'unrepairable', symbol: BTCUSDT, openTime: START, reason });
  assert.equal(run.last()?.verdict, 'differs');
  assert.match(String(run.last()?.reason), /no trades 7 to 9/);
  run.pass(2 * 60 * MINUTE_MS);
  assert.ok(run.requests.length >= 2);

  const whole = auditing();
  differing(whole, klineAt(0, { trades: 6 }));
  whole.evidence({ type: 'unrepairable', symbol: BTCUSDT, openTime: START, reason });
  assert.equal(whole.last()?.verdict, 'differs');
  assert.equal(whole.auditor.load().open, 0);
});

test('I3: a pair with more than 8 decimals is verified within trades × 1e-8, and the digits are asked for', () => {
  const digits = { open: decimal('0.03456'), volume: decimal('12.3456') };
  const ours = minuteAt(0, { ...digits, quoteVolume: 1_000n, takerBuyQuoteVolume: 500n });
  const theirs = (quoteVolume: bigint) =>
    klineAt(0, { ...digits, quoteVolume, takerBuyQuoteVolume: 500n });
  const run = auditing();
  run.evidence(byStream(theirs(996n)));
  run.ours(ours);
  assert.deepEqual([run.last()?.verdict, run.last()?.rounding], ['verified', true]);
  const [request] = run.requests;
  assert.ok(request?.type === 'rounding');
  assert.deepEqual([request.candle.quoteVolume, request.candle.reason], [996n, 'rounding']);
  run.ours({ ...ours, quoteVolume: 996n, revision: 1, reason: 'rounding' });
  const { verdict, rounding, revision } = run.last() ?? {};
  assert.deepEqual([verdict, rounding, revision], ['verified', true, 1]);
  assert.equal(run.auditor.load().open, 0);

  const beyond = auditing();
  beyond.evidence(byStream(theirs(995n)));
  beyond.ours(ours);
  assert.deepEqual([beyond.audits, beyond.types()], [[], ['klines']]);
});

test('I3: where price and quantity have at most 8 decimals together, nothing rounds: a difference is one', () => {
  const run = auditing();
  run.evidence(byStream(klineAt(0, { quoteVolume: minuteAt(0).quoteVolume - 1n })));
  run.ours(minuteAt(0));
  assert.deepEqual([run.audits, run.types()], [[], ['klines']]);
});

test("a candle taken from the exchange's klines is unverified, with the reason", () => {
  const run = auditing();
  run.evidence(byStream(klineAt(0)));
  run.ours(minuteAt(0, { source: 'klines' }));
  assert.equal(run.last()?.verdict, 'unverified');
  assert.match(String(run.last()?.reason), /proves nothing/);
  assert.equal(run.auditor.load().open, 0);
});

test('a minute that the exchange does not have differs, after its trades were asked for', () => {
  const run = auditing();
  const absent: Evidence = { type: 'absent', symbol: BTCUSDT, openTime: START };
  run.ours(minuteAt(0));
  run.pass(FRAME_WAIT_MS);
  run.evidence(absent);
  run.pass(SAME_AGAIN_MS);
  run.evidence(absent);
  assert.equal(run.requests.at(-1)?.type, 'trades');
  // Asked for the trades, it says so again.
  run.evidence(absent);
  run.pass(SAME_AGAIN_MS);
  run.evidence(absent);
  assert.equal(run.last()?.verdict, 'differs');
  assert.match(String(run.last()?.reason), /no candle of this minute/);
});

test('a minute that the exchange has and we have not is asked for, and told', () => {
  const run = auditing();
  for (const index of [0, 1, 2]) run.evidence(byStream(klineAt(index)));
  run.ours(minuteAt(0));
  run.ours(minuteAt(2));
  run.pass(OURS_WAIT_MS);
  const openTime = addMs(START, MINUTE_MS);
  assert.deepEqual(run.requests, [{ type: 'trades', symbol: BTCUSDT, openTime }]);
  run.evidence({ type: 'repaired', symbol: BTCUSDT, openTime });
  run.pass(CORRECTION_WAIT_MS);
  assert.equal(run.last()?.verdict, 'differs');
  assert.match(String(run.last()?.reason), /we have no candle/);
  run.ours(minuteAt(1));
  assert.equal(run.last()?.verdict, 'verified');
});

test('minutes of before we began, and minutes we have not come to, are not missed', () => {
  const run = auditing();
  run.evidence(byStream(klineAt(0)));
  run.evidence(byStream(klineAt(5)));
  run.ours(minuteAt(1));
  run.evidence(byStream(klineAt(1)));
  run.pass(60 * MINUTE_MS);
  assert.deepEqual(run.requests, []);
});

test('what comes twice is audited once; a later revision is audited anew', () => {
  const run = auditing();
  run.ours(minuteAt(0));
  run.evidence(byStream(klineAt(0)));
  run.ours(minuteAt(0));
  run.evidence(byStream(klineAt(0)));
  run.evidence(byRest(klineAt(0)));
  assert.equal(run.audits.length, 1);
  run.ours(minuteAt(0, { revision: 1, reason: 'late-trade', trades: 6 }));
  assert.equal(run.requests.at(-1)?.type, 'klines');
  run.evidence(byRest(klineAt(0, { trades: 6 })));
  assert.deepEqual([run.last()?.verdict, run.last()?.revision], ['verified', 1]);
});

test('no more repairs are under way at once than the limit; the others have their turn', () => {
  const run = auditing();
  const count = 3 * REPAIRS_UNDER_WAY_MAX;
  // Every other one: neighbours wait for each other.
  for (let index = 0; index < 2 * count; index += 2) run.ours(minuteAt(index, { complete: false }));
  assert.equal(run.requests.length, REPAIRS_UNDER_WAY_MAX);
  const asked = new Set<number>();
  for (let at = 0; asked.size < count; at++) {
    assert.ok(at < 10 * count);
    for (const request of run.requests.splice(0)) {
      if (request.type !== 'trades') continue;
      const index = (request.openTime - START) / MINUTE_MS;
      asked.add(index);
      run.evidence(byStream(klineAt(index)));
      run.ours(minuteAt(index, { revision: 1, reason: 'repair' }));
    }
    run.pass(1_000);
  }
  assert.equal(run.auditor.load().open, 0);
});

test('minutes in a row are repaired one after the other: each may begin flat at the close before it', () => {
  const run = auditing();
  for (let index = 0; index < 3; index++) run.ours(minuteAt(index, { complete: false }));
  const askedFor = () =>
    run.requests
      .splice(0)
      .flatMap((request) => (request.type === 'trades' ? [request.openTime] : []));
  assert.deepEqual(askedFor(), [minuteAt(0).openTime]);
  run.ours(minuteAt(0, { revision: 1, reason: 'repair' }));
  run.pass(1_000);
  assert.deepEqual(askedFor(), [minuteAt(1).openTime]);
  // What cannot be had keeps nobody waiting.
  const { symbol, openTime } = minuteAt(1);
  run.evidence({ type: 'unrepairable', symbol, openTime, reason: 'no such trades' });
  run.pass(1_000);
  assert.deepEqual(askedFor(), [minuteAt(2).openTime]);
});

test('at the limit of open minutes the one that waits longest is given up, and said to be', () => {
  const run = auditing();
  for (let index = 0; index <= OPEN_MINUTES_MAX; index++)
    run.auditor.candle(minuteAt(index), run.now());
  const { audits } = run.auditor.decide(run.now());
  assert.equal(run.auditor.load().open, OPEN_MINUTES_MAX);
  assert.deepEqual(
    audits.map(({ openTime, verdict }) => [openTime, verdict]),
    [[START, 'unverified']],
  );
});

test('the same revision again, as a later search of the store brings it, disturbs nothing that is under way', () => {
  const run = auditing();
  differing(run, klineAt(0, { trades: 6 }));
  run.evidence({ type: 'repaired', symbol: BTCUSDT, openTime: START });
  run.ours(minuteAt(0));
  run.pass(CORRECTION_WAIT_MS);
  run.evidence(byRest(klineAt(0, { trades: 6 })));
  run.pass(SAME_AGAIN_MS);
  run.evidence(byRest(klineAt(0, { trades: 6 })));
  assert.equal(run.last()?.verdict, 'differs');
  assert.equal(run.types().filter((type) => type === 'trades').length, 1);
});

test('a frame that says something new makes what REST said before count no more', () => {
  const run = auditing();
  run.ours(minuteAt(0));
  run.pass(FRAME_WAIT_MS);
  run.evidence(byRest(klineAt(0, { trades: 6 })));
  run.pass(SAME_AGAIN_MS);
  const late = byStream(klineAt(0, { trades: 7, firstTradeId: undefined, lastTradeId: undefined }));
  run.evidence(late);
  run.evidence(byRest(klineAt(0, { trades: 7 })));
  assert.ok(!run.types().includes('trades'), 'REST has said it once');
  run.pass(SAME_AGAIN_MS);
  run.evidence(byRest(klineAt(0, { trades: 7 })));
  assert.equal(run.requests.at(-1)?.type, 'trades');
});

test('an incomplete candle that is equal, and whose trades cannot be had, is verified with that reason', () => {
  const run = auditing();
  run.evidence(byStream(klineAt(0)));
  run.ours(minuteAt(0, { complete: false }));
  const reason = 'the exchange has no trades 7 to 9';
  run.evidence({ type: 'unrepairable', symbol: BTCUSDT, openTime: START, reason });
  assert.equal(run.last()?.verdict, 'verified');
  assert.match(String(run.last()?.reason), /no trades 7 to 9/);
});

test('an incomplete candle whose repair brings no correction is told once, and goes on being asked for', () => {
  const run = auditing();
  run.evidence(byStream(klineAt(0)));
  run.ours(minuteAt(0, { complete: false, trades: 3 }));
  for (let time = 0; time < 3; time++) {
    run.evidence({ type: 'repaired', symbol: BTCUSDT, openTime: START });
    run.pass(60 * MINUTE_MS);
  }
  assert.deepEqual(
    run.audits.map(({ verdict }) => verdict),
    ['differs'],
  );
  const types = new Set(run.types());
  assert.deepEqual([...types], ['trades'], 'no kline can prove what lacks trades');
  assert.ok(run.requests.length >= 4);
});

test('an answer to a question nobody asks any more, or to a neighbour’s, opens no audit', () => {
  const run = auditing();
  run.ours(minuteAt(5));
  run.evidence(byStream(klineAt(5)));
  run.evidence(byRest(klineAt(3)));
  run.evidence({ type: 'repaired', symbol: BTCUSDT, openTime: minuteAt(3).openTime });
  run.evidence({ type: 'absent', symbol: BTCUSDT, openTime: minuteAt(3).openTime });
  assert.equal(run.auditor.load().open, 0);
});

test('a frame of a minute whose verdict is forgotten by now is passed over', () => {
  const run = auditing();
  for (let index = 0; index <= DECIDED_KEPT + 1; index++) {
    run.ours(minuteAt(index));
    run.evidence(byStream(klineAt(index)));
  }
  run.evidence(byStream(klineAt(0)));
  assert.equal(run.auditor.load().open, 0);
  assert.equal(run.audits.length, DECIDED_KEPT + 2);
});

test('a minute that is flat at a corrected close is repaired too', () => {
  const run = auditing();
  run.evidence(byStream(klineAt(0, { trades: 6 })));
  run.ours(minuteAt(0));
  run.ours(minuteAt(0, { trades: 6, revision: 1, reason: 'rolled-up-correction' }));
  assert.equal(run.last()?.verdict, 'repaired');
});

test('minutes that only wait are no repairs', () => {
  const run = auditing();
  run.ours(minuteAt(0));
  run.ours(minuteAt(2, { complete: false }));
  assert.deepEqual(run.auditor.load(), { open: 2, repairs: 1 });
});

test('I3: while the digits are asked for, the same kline again says nothing and asks no more', () => {
  const digits = { open: decimal('0.03456'), volume: decimal('12.3456') };
  const run = auditing();
  const theirs = klineAt(0, { ...digits, quoteVolume: 996n, takerBuyQuoteVolume: 500n });
  run.evidence(byStream(theirs));
  run.ours(minuteAt(0, { ...digits, quoteVolume: 1_000n, takerBuyQuoteVolume: 500n }));
  for (let time = 0; time < 2 * ROUNDING_ASKED_MAX; time++) {
    run.evidence(byRest(theirs));
    run.pass(MINUTE_MS);
  }
  assert.equal(run.audits.length, 1);
  run.pass(24 * 60 * MINUTE_MS);
  assert.equal(run.requests.length, ROUNDING_ASKED_MAX);
  assert.equal(run.auditor.load().open, 0);
});

/** What the world does with a request: whether its answer is lost, how late it is, whether it comes twice. */
const fate = fc.record({
  isLost: fc.boolean(),
  lateMs: fc.integer({ min: 0, max: 40_000 }),
  isTwice: fc.boolean(),
});

test('whatever is lost, late or doubled, in whatever order: the verdict is the truth in the end', () => {
  const kinds = fc.constantFrom('equal', 'repairable', 'wrong', 'hole');
  fc.assert(
    fc.property(kinds, fc.boolean(), fc.array(fate, { maxLength: 40 }), (kind, hasFrame, fates) => {
      const truth = klineAt(0, { trades: 8, lastTradeId: 107 });
      const first =
        kind === 'equal'
          ? minuteAt(0, { trades: 8, lastTradeId: 107 })
          : minuteAt(0, { complete: kind !== 'hole' });
      assert.equal(outcome(first, truth, kind === 'wrong', hasFrame, fates), expected[kind]);
    }),
  );
});

const expected = {
  equal: 'verified',
  repairable: 'repaired',
  wrong: 'differs',
  hole: 'repaired',
} as const;

/** Runs a day of a world in which the first requests have `fates` and the later ones are answered at once. */
function outcome(
  first: Candle,
  truth: Candle,
  isHopeless: boolean,
  hasFrame: boolean,
  fates: readonly {
    readonly isLost: boolean;
    readonly lateMs: number;
    readonly isTwice: boolean;
  }[],
): string | undefined {
  const auditor = new Auditor();
  const left = [...fates];
  const events: { readonly at: number; readonly act: (now: EpochMs) => void }[] = [];
  let now = START;
  let revision = 0;
  let verdict: string | undefined;

  function answer(request: RepairRequest): void {
    if (request.type === 'klines') auditor.evidence(byRest(truth), now);
    if (request.type !== 'trades') return;
    auditor.evidence({ type: 'repaired', symbol: BTCUSDT, openTime: START }, now);
    if (isHopeless || revision > 0) return;
    revision = 1;
    const candle = minuteAt(0, { ...truth, source: 'trades', revision, reason: 'repair' });
    events.push({ at: now + 500, act: (at) => auditor.candle(candle, at) });
  }

  function ask(request: RepairRequest): void {
    const { isLost, lateMs, isTwice } = left.shift() ?? {
      isLost: false,
      lateMs: 0,
      isTwice: false,
    };
    if (isLost) return;
    events.push({ at: now + lateMs, act: () => answer(request) });
    if (isTwice) events.push({ at: now + lateMs + 3_000, act: () => answer(request) });
  }

  auditor.candle(first, now);
  if (hasFrame) auditor.evidence(byStream(truth), now);
  for (let steps = 0; steps < 2_000; steps++) {
    const { audits, requests } = auditor.decide(now);
    verdict = audits.at(-1)?.verdict ?? verdict;
    for (const request of requests) ask(request);
    events.sort((a, b) => a.at - b.at);
    const next = events[0];
    const at = Math.min(auditor.dueAt(), next?.at ?? Number.POSITIVE_INFINITY);
    if (at === Number.POSITIVE_INFINITY) return verdict;
    now = Math.max(now, at) as EpochMs;
    if (next !== undefined && next.at <= now) events.shift()?.act(now);
  }
  return undefined;
}

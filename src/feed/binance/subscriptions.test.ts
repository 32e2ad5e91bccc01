// What is asked of the exchange and when: its limits kept, refusals mended, nothing forgotten.
import '../../../test/property-seed.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { marketSymbol } from '../../core/market/symbol.ts';
import type { EpochMs } from '../../core/market/time.ts';
import { connectionStreams, PULSES, SYMBOLS_A_CONNECTION_MAX } from './stream-plan.ts';
import {
  ASK_AGAIN_MS,
  createSubscriptions,
  MESSAGE_INTERVAL_MS,
  REFUSALS_MAX,
  REPLY_MS_MAX,
  STREAMS_MAX,
  SUBSCRIBE_STREAMS_MAX,
  type Subscriptions,
} from './subscriptions.ts';

interface Message {
  readonly method: string;
  readonly params: readonly string[];
  readonly id: number;
}

/** An exchange that answers after `delayMs`, refusing parts with a stream of `bad`. */
function exchange(subscriptions: Subscriptions, bad: ReadonlySet<string>, delayMs = 50) {
  const streams = new Set<string>();
  const sent: { readonly at: number; readonly message: Message }[] = [];
  let now = 0;

  function answer({ method, params, id }: Message): void {
    const isBad = method === 'SUBSCRIBE' && params.some((one) => bad.has(one));
    for (const one of isBad ? [] : params) {
      if (method === 'SUBSCRIBE') streams.add(one);
      else streams.delete(one);
    }
    assert(streams.size <= STREAMS_MAX);
    subscriptions.answered(id, isBad ? '2: no' : undefined, now as EpochMs);
  }

  return {
    streams,
    sent,
    now: () => now,
    /** Until nothing is to be done before `to`. */
    run(to: number): void {
      for (;;) {
        const next = subscriptions.next(now as EpochMs);
        if (next.type === 'wait') {
          if (now + next.ms > to) return;
          now += next.ms;
          continue;
        }
        const message: Message = JSON.parse(next.text);
        sent.push({ at: now, message });
        now += delayMs;
        answer(message);
      }
    },
  };
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`);

test('R12: messages go one at a time, in parts, and never more than 3 in a second', () => {
  const subscriptions = createSubscriptions(() => undefined);
  const { run, sent, streams } = exchange(subscriptions, new Set(), 1);
  subscriptions.want(names(1_000));
  run(60_000);
  assert.equal(sent.length, 1_000 / SUBSCRIBE_STREAMS_MAX);
  assert.equal(streams.size, 1_000);
  assert(subscriptions.isSettled());
  for (const [index, { at }] of sent.entries()) {
    const before = sent[index - 1]?.at;
    assert(before === undefined || at - before >= MESSAGE_INTERVAL_MS);
    const third = sent[index - 3]?.at;
    assert(third === undefined || at - third > 1_000, 'a fourth within a second');
  }
});

test('R12: a connection’s streams fit into the exchange’s limit, pulses included', () => {
  const symbols = names(SYMBOLS_A_CONNECTION_MAX).map(marketSymbol);
  const streams = connectionStreams(symbols);
  assert.equal(streams.length, SYMBOLS_A_CONNECTION_MAX * 2 + PULSES);
  assert(streams.length <= STREAMS_MAX);
});

test('R13: a refused part is halved until the stream at fault is alone; the others get through', () => {
  const refusals: string[] = [];
  const subscriptions = createSubscriptions((streams, reason) => {
    refusals.push(`${streams.length} ${reason}`);
  });
  const { run, streams } = exchange(subscriptions, new Set(['s77']));
  subscriptions.want(names(300));
  run(59_000);
  assert.equal(streams.size, 299);
  assert(subscriptions.isSettled(), 'the others go on without it');
  assert(!subscriptions.isConfirmed('s77'));
  assert.equal(refusals.filter((text) => text === '1 2: no').length, REFUSALS_MAX);
});

test('R13: what was passed over is asked for again, and then it may be had', () => {
  const subscriptions = createSubscriptions(() => undefined);
  const bad = new Set(['s0']);
  const { run, streams, now } = exchange(subscriptions, bad);
  subscriptions.want(names(1));
  run(10_000);
  assert(subscriptions.isSettled() && streams.size === 0);
  bad.clear();
  run(now() + ASK_AGAIN_MS + 10_000);
  assert(subscriptions.isConfirmed('s0'));
});

test('R13: no answer is a refusal', () => {
  const refusals: string[] = [];
  const subscriptions = createSubscriptions((_, reason) => refusals.push(reason));
  subscriptions.want(['a']);
  assert.equal(subscriptions.next(0 as EpochMs).type, 'send');
  assert.deepEqual(subscriptions.next(1_000 as EpochMs), {
    type: 'wait',
    ms: REPLY_MS_MAX - 1_000,
  });
  subscriptions.next(REPLY_MS_MAX as EpochMs);
  assert.match(refusals[0] ?? '', /no answer/);
  subscriptions.answered(1, undefined, REPLY_MS_MAX as EpochMs);
  assert(!subscriptions.isConfirmed('a'), 'an answer that comes too late is not believed');
});

test('streams in the address need no message; another’s answer changes nothing', () => {
  const subscriptions = createSubscriptions(() => undefined);
  subscriptions.has(['a']);
  subscriptions.want(['a', 'b']);
  const next = subscriptions.next(0 as EpochMs);
  assert.equal(next.type === 'send' && next.text, '{"method":"SUBSCRIBE","params":["b"],"id":1}');
  subscriptions.answered(99, undefined, 0 as EpochMs);
  assert(!subscriptions.isConfirmed('b'));
});

test('R16: whatever is wanted when, in the end the exchange has exactly that', () => {
  const list = fc.uniqueArray(fc.constantFrom(...names(12)), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(fc.tuple(list, fc.nat(2_000)), { maxLength: 12 }), list, (wishes, bad) => {
      const subscriptions = createSubscriptions(() => undefined);
      const refused = new Set(bad.slice(0, 3));
      const { run, streams, now } = exchange(subscriptions, refused, 400);
      for (const [wish, ms] of wishes) {
        subscriptions.want(wish);
        run(now() + ms);
      }
      run(now() + 50_000);
      const last = wishes.at(-1)?.[0] ?? [];
      assert.deepEqual([...streams].sort(), last.filter((one) => !refused.has(one)).sort());
      assert(subscriptions.isSettled());
    }),
  );
});

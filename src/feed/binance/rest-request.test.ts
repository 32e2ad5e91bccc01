// Which endpoint is asked: the next one after a failure, however many questions fail at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { settableClock } from '../../../test/binance-feed/settable-clock.ts';
import { createRestRequester, REST_TIMEOUT_MS } from './rest-request.ts';
import type { GetOptions } from './transport.ts';

const OK = { status: 200, headers: {}, body: '{}' };

/** Two endpoints; the first never answers, and its questions are given up by `giveUp`. */
function twoEndpoints() {
  const asked: string[] = [];
  const given: number[] = [];
  const waiting: PromiseWithResolvers<never>[] = [];
  const get = async ({ host }: URL, { timeoutMs }: GetOptions) => {
    asked.push(host);
    given.push(timeoutMs);
    if (host !== 'silent.test') return OK;
    const silence = Promise.withResolvers<never>();
    waiting.push(silence);
    return silence.promise;
  };
  const troubles: string[] = [];
  const { signal } = new AbortController();
  const requester = createRestRequester({
    restUrls: ['https://silent.test', 'https://good.test'],
    transport: { get },
    clock: settableClock(0),
    random: () => 0,
    onTrouble: (reason) => troubles.push(reason),
    signal,
  });
  const path = '/api/v3/time';
  const ask = () => requester.ask({ path, query: {}, weight: 1, priority: 'urgent', signal });
  const giveUp = () => {
    for (const silence of waiting.splice(0)) {
      silence.reject(new DOMException('The operation timed out', 'TimeoutError'));
    }
  };
  return { asked, given, troubles, ask, giveUp };
}

for (const count of [1, 2, 3]) {
  test(`${count} at once at an endpoint that never answers: after its time each asks the other`, async () => {
    const { asked, given, troubles, ask, giveUp } = twoEndpoints();
    const answers = Array.from({ length: count }, ask);
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    giveUp();
    await Promise.all(answers);
    assert.deepEqual(asked, [
      ...Array(count).fill('silent.test'),
      ...Array(count).fill('good.test'),
    ]);
    assert(given.every((ms) => ms === REST_TIMEOUT_MS));
    assert.deepEqual(troubles, Array(count).fill('silent.test: no answer in time'));
  });
}

test('an endpoint that is named twice refuses us once, and that is all of them', async () => {
  const { signal } = new AbortController();
  let asked = 0;
  const requester = createRestRequester({
    restUrls: ['https://one.test', 'https://one.test'],
    transport: {
      async get() {
        asked += 1;
        assert(asked < 10, 'it ends');
        return { status: 451, headers: {}, body: '' };
      },
    },
    clock: settableClock(0),
    random: () => 0,
    onTrouble: () => undefined,
    signal,
  });
  const question = {
    path: '/api/v3/time',
    query: {},
    weight: 1,
    priority: 'urgent',
    signal,
  } as const;
  await assert.rejects(requester.ask(question), { code: 'refused' });
  assert.equal(asked, 1);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { marketSymbol } from '../../core/market/symbol.ts';
import { type EpochMs, epochMs } from '../../core/market/time.ts';
import { createRest } from './rest.ts';
import { createWeightBudget } from './weight-budget.ts';

const MINUTE_MS = 60_000;
const OPEN = epochMs(Date.UTC(2026, 0, 14, 10));
const HOURS_MS = 3 * 3_600_000;
const asking = { priority: 'urgent', signal: new AbortController().signal } as const;
const row = [OPEN, '1.0', '1.0', '1.0', '1.0', '1.0', 0, '1.0', 1, '0.0', '0.0', '0'];

/** An exchange 30 s into the minute at `OPEN`, and a machine whose clock can be set. */
function restAt({ saysDate }: { readonly saysDate: boolean }) {
  let server = OPEN + 30_000;
  let ours = server;
  const rest = createRest(
    {
      budget: createWeightBudget(),
      async ask({ path }) {
        const value = path.endsWith('time') ? { serverTime: server } : [row];
        const date = (server - (server % 1_000)) as EpochMs;
        return { value, answeredAt: saysDate ? date : undefined, sentAt: ours, tookMs: 0 };
      },
    },
    { now: () => ours as EpochMs, sleep: async () => {} },
  );
  return {
    rest,
    set: (byMs: number) => {
      ours += byMs;
    },
    pass: (ms: number) => {
      ours += ms;
      server += ms;
    },
    server: () => server,
    closed: async () =>
      (await rest.klines(marketSymbol('BTCUSDT'), '1m', {}, asking)).closed.length,
  };
}

for (const saysDate of [true, false]) {
  test(`an open minute is not closed by a clock set forward, answers ${saysDate ? 'with' : 'without'} a date`, async () => {
    const { rest, set, pass, closed, server } = restAt({ saysDate });
    await rest.sampleTime(asking.signal);
    set(HOURS_MS);
    assert.equal(await closed(), 0);
    assert(Math.abs(rest.now() - server()) <= 1_000, 'the jump is seen');
    pass(2 * MINUTE_MS);
    assert.equal(await closed(), 1);
  });

  test(`a closed minute is closed though the clock is set back, answers ${saysDate ? 'with' : 'without'} a date`, async () => {
    const { rest, set, pass, closed, server } = restAt({ saysDate });
    await rest.sampleTime(asking.signal);
    pass(2 * MINUTE_MS);
    set(-10 * MINUTE_MS);
    assert.equal(await closed(), 1);
    assert(Math.abs(rest.now() - server()) <= 1_000, 'the jump is seen');
  });
}

test('a fresh sample replaces those before a jump, however short their round trips were', async () => {
  const { rest, set, server } = restAt({ saysDate: false });
  for (let sample = 0; sample < 3; sample++) await rest.sampleTime(asking.signal);
  set(HOURS_MS);
  await rest.sampleTime(asking.signal);
  assert.equal(rest.now(), server());
});

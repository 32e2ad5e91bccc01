import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AggTrade } from '../../core/market/agg-trade.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import { addMs, type EpochMs, epochMs, MINUTE_MS } from '../../core/market/time.ts';
import { manualClock } from '../../stages/serve/testing/manual-clock.ts';
import { createNewSeries, SUSPECT_AGAIN_MS, SUSPICIONS_MAX } from './new-series.ts';
import type { TradePage } from './rest.ts';

const LAST = epochMs(Date.UTC(2026, 0, 14, 10, 0, 20));
const tradeOf = (aggTradeId: number, tradeTime: EpochMs) => ({ aggTradeId, tradeTime }) as AggTrade;
/** Of the series that began anew. */
const low = tradeOf(7, addMs(LAST, 5_000));

function start() {
  const clock = manualClock(LAST);
  let latest: AggTrade | Error = tradeOf(999, LAST);
  const rest = {
    async aggTrades(): Promise<TradePage> {
      if (latest instanceof Error) throw latest;
      return { trades: [latest], isFull: true, rejected: [] };
    },
  };
  const sequencer = { next: () => 1_000, lastTime: () => LAST };
  const { signal } = new AbortController();
  const series = createNewSeries(marketSymbol('BTCUSDT'), { rest, sequencer, clock, signal });
  return { clock, series, says: (trade: AggTrade | Error) => (latest = trade) };
}

/** Suspicions by as many trades at one moment, each looked into: how many were, and what came of the last. */
async function suspect({ series }: ReturnType<typeof start>, count: number) {
  let asked = 0;
  let from: EpochMs | undefined;
  for (let index = 0; index < count; index++) {
    if (!series.suspect(low)) continue;
    asked += 1;
    from = await series.ask().catch(() => undefined);
  }
  return { asked, from };
}

test('a lower id with a later time is asked about so often at once, then seldom', async () => {
  const run = start();
  assert.deepEqual(await suspect(run, 50), { asked: SUSPICIONS_MAX, from: undefined });
  await run.clock.advance(SUSPECT_AGAIN_MS - 1);
  assert.equal((await suspect(run, 50)).asked, 0);
  await run.clock.advance(1);
  assert.equal((await suspect(run, 50)).asked, 1);
});

test('a REST that lags, or refuses us, when the ids begin anew is believed later', async () => {
  for (const first of [tradeOf(999, LAST), new Error('refused')]) {
    const run = start();
    run.says(first);
    await suspect(run, 50);
    run.says(tradeOf(60, addMs(LAST, 30_000)));
    await run.clock.advance(SUSPECT_AGAIN_MS);
    const { from } = await suspect(run, 1);
    assert.equal(from, LAST - (LAST % MINUTE_MS) + MINUTE_MS);
    assert(!run.series.isSuspected());
  }
});

test('an id passed on already at its own time, or near it, is no suspicion', () => {
  const { series } = start();
  assert(!series.suspect(tradeOf(998, LAST)));
  assert(!series.suspect(tradeOf(998, addMs(LAST, 1_000))));
});

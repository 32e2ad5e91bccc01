// When REST is believed that a minute does not exist.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AggTrade } from '../../core/market/agg-trade.ts';
import type { Candle } from '../../core/market/candle.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import { epochMs, MINUTE_MS } from '../../core/market/time.ts';
import { KLINE_LAG_MS_MAX, type Klines } from './kline-rows.ts';
import { ABSENT_ANSWERS, createMinuteEvidence, EVIDENCE_RETRY_MS } from './minute-evidence.ts';
import { createMinuteGate } from './minute-gate.ts';
import type { Rest } from './rest.ts';

const symbol = marketSymbol('BTCUSDT');
const { signal } = new AbortController();
const minute = (index: number) => epochMs(index * MINUTE_MS);

/** A gate whose minute 0 nobody vouches for, and a trade of minute 2 behind it; REST says `answer`. */
function start(answer: () => Klines) {
  const said: string[] = [];
  const gate = createMinuteGate({
    symbol,
    openMinute: minute(0),
    lastAggTradeId: 6,
    emit: (tick) =>
      said.push(tick.type === 'watermark' ? `w${tick.watermark.time / MINUTE_MS}` : tick.type),
  });
  gate.trade({
    symbol,
    aggTradeId: 7,
    priceInteger: 1,
    quantityInteger: 1,
    tradeTime: minute(2),
  } as AggTrade);
  const rest = { klines: async () => answer() } as unknown as Rest;
  const evidence = createMinuteEvidence(symbol, rest, signal);
  return { gate, said, ask: () => evidence.ask(gate) };
}

const kline = (index: number) => ({ openTime: minute(index), trades: 0 }) as Candle;
const klines = (closed: readonly number[], last: number | undefined): Klines => ({
  closed: closed.map(kline),
  lastOpenTime: last === undefined ? undefined : minute(last),
});

test('a minute that REST leaves out, with a later one, does not exist when it says so again', async () => {
  const run = start(() => klines([1], 2));
  for (let answer = 1; answer < ABSENT_ANSWERS; answer++) assert.equal(await run.ask(), false);
  assert.deepEqual(run.said, []);
  assert.equal(await run.ask(), true);
  assert.deepEqual(run.said, ['w2', 'aggTrade']);
});

test('a REST that lags as far as it may has not said that a minute does not exist', async () => {
  let answer = klines([], undefined);
  const run = start(() => answer);
  for (let asked = 0; asked < KLINE_LAG_MS_MAX / EVIDENCE_RETRY_MS; asked++) {
    assert.equal(await run.ask(), false);
  }
  answer = klines([0, 1], 2);
  assert.equal(await run.ask(), true);
  assert.deepEqual(run.said, ['w1', 'w2', 'aggTrade']);
});

test('one that never has anything is believed in the end', async () => {
  const run = start(() => klines([], undefined));
  let asked = 1;
  for (; !(await run.ask()); asked++) assert(asked < 1_000);
  assert(asked > KLINE_LAG_MS_MAX / EVIDENCE_RETRY_MS);
  assert.deepEqual(run.said, ['aggTrade']);
});

// Symbols that come, go and come again while everything runs: their candles are the exchange's own, and a restart remembers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { asTruth } from '../candles/candle-run.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { truthCandles } from '../fake-exchange/truth.ts';
import { startPipeline, type TestPipeline, temporaryDir } from './pipeline.ts';

const MINUTE_MS = 60_000;
const WAIT_MS_MAX = 30_000;
const NOW = Date.UTC(2026, 0, 14, 10);
const minute = (index: number) => NOW + index * MINUTE_MS;

async function symbolsOf({ pipeline }: TestPipeline): Promise<readonly string[]> {
  return (await (await fetch(`${pipeline.url}/api/v1/symbols`)).json()).symbols;
}

async function wish(run: TestPipeline, symbol: string, wanted: boolean): Promise<void> {
  const url = `${run.pipeline.url}/api/v1/symbols`;
  const answer = wanted
    ? await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ symbol }),
      })
    : await fetch(`${url}/${symbol}`, { method: 'DELETE' });
  assert.equal(answer.status, 202, await answer.text());
}

test('added, removed, added again: exact candles each time, each closed once, and a restart remembers', {
  timeout: 120_000,
}, async () => {
  const tape = { seed: 5, from: NOW, to: minute(8), tradesPerSecond: 3 };
  const eth = generateTrades({ ...tape, seed: 6 });
  const klines = generateHistory({ seed: 2, to: NOW, days: 3 });
  await using dir = await temporaryDir();
  await using exchange = await createFakeExchange({
    clock: manualClock(NOW),
    symbols: [
      { symbol: 'BTCUSDT', klines },
      { symbol: 'ETHUSDT', klines },
    ],
  });
  const setUp = { exchange, dataDir: dir.path, symbols: ['BTCUSDT'] };
  const play = (from: number, to: number) =>
    exchange.playAll({ ETHUSDT: eth.filter(({ T }) => T >= minute(from) && T < minute(to)) });
  {
    await using run = await startPipeline(setUp);
    await exchange.whenSubscribed('btcusdt@aggTrade');
    await play(0, 1.5);
    await wish(run, 'ETHUSDT', true);
    await exchange.whenSubscribed('ethusdt@aggTrade', 'ethusdt@kline_1m');
    assert.deepEqual(await symbolsOf(run), ['BTCUSDT', 'ETHUSDT']);
    await play(1.5, 3.2);
    await until(() => hasClosed(run, minute(2)), 'the minute 2');
    await wish(run, 'ETHUSDT', false);
    await until(() => exchange.connections.subscribers('ethusdt@aggTrade') === 0, 'ETHUSDT left');
    assert.deepEqual(await symbolsOf(run), ['BTCUSDT']);
    await play(3.2, 5.3);
    await wish(run, 'ETHUSDT', true);
    await exchange.whenSubscribed('ethusdt@aggTrade', 'ethusdt@kline_1m');
    await play(5.3, 7.5);
    await until(() => hasClosed(run, minute(6)), 'the minute 6');
    const closed = run.published.filter(({ symbol }) => symbol === 'ETHUSDT');
    const own = closed.filter(({ interval, openTime }) => interval === '1m' && openTime >= NOW);
    const truth = truthCandles(eth, '1m', { to: minute(7) });
    const keys = own.map(({ openTime, revision }) => `${openTime} ${revision}`);
    assert.equal(new Set(keys).size, keys.length, 'each closed once');
    assert.deepEqual(
      own.filter(({ source, trades }) => source === 'trades' && trades > 0).map(asTruth),
      truth.filter(({ openTime }) =>
        own.some((one) => one.openTime === openTime && one.source === 'trades'),
      ),
    );
    assert.deepEqual([...new Set(own.map(({ openTime }) => openTime))].slice(-3), [
      minute(4),
      minute(5),
      minute(6),
    ]);
    await wish(run, 'BTCUSDT', false);
  }
  await using again = await startPipeline(setUp);
  await exchange.whenSubscribed('ethusdt@aggTrade');
  assert.deepEqual(await symbolsOf(again), ['ETHUSDT']);
  assert.equal(exchange.connections.subscribers('btcusdt@aggTrade'), 0);
  assert.deepEqual(exchange.breaches, []);
});

function hasClosed({ published }: TestPipeline, openTime: number): boolean {
  return published.some(
    (candle) =>
      candle.symbol === 'ETHUSDT' && candle.interval === '1m' && candle.openTime === openTime,
  );
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Expected ${what}`);
    await setTimeout(10);
  }
}

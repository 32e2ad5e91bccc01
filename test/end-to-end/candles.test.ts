// From the exchange's socket to the store: real trades sent by the fake exchange end as the exchange's own candles, in every field.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { asTruth } from '../candles/candle-run.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import {
  recordedBtcTrades,
  recordedTrxKlines,
  recordedTrxTrades,
  skipWithoutData,
} from '../fake-exchange/recorded.ts';
import { type AggTrade, type TruthCandle, truthCandles } from '../fake-exchange/truth.ts';
import { startPipeline, temporaryDir } from './pipeline.ts';

const MINUTE_MS = 60_000;

/** The exchange's klines carry no trade ids. */
function withoutIds(candle: TruthCandle): Omit<TruthCandle, 'firstTradeId' | 'lastTradeId'> {
  const { firstTradeId: _f, lastTradeId: _l, ...rest } = candle;
  return rest;
}

interface Sent {
  readonly symbol: string;
  readonly trades: readonly AggTrade[];
  /** Trades before this one were there before we joined. */
  readonly joinAt: number;
  readonly from: number;
  readonly to: number;
}

/** Sends `trades`; answers the closed candles in the log and in the store. */
async function sendThrough({ symbol, trades, joinAt, from, to }: Sent) {
  await using dir = await temporaryDir();
  const clock = manualClock(joinAt === 0 ? from : (trades[joinAt - 1]?.T ?? from));
  await using exchange = await createFakeExchange({
    symbols: [{ symbol, trades: trades.slice(0, joinAt), onboardTime: from }],
    clock,
  });
  await using run = await startPipeline({ exchange, dataDir: dir.path, symbols: [symbol] });
  await exchange.whenSubscribed(`${symbol.toLowerCase()}@aggTrade`);
  await exchange.playAll({ [symbol]: trades.slice(joinAt) });
  exchange.advanceTo(to + 5_000);
  await run.untilClosed('1m', to - MINUTE_MS);
  assert.deepEqual(exchange.breaches, []);
  const candles = { '1s': run.candles('1s'), '1m': run.candles('1m') };
  await run[Symbol.asyncDispose]();
  return candles;
}

describe('socket to store', { skip: skipWithoutData() }, () => {
  test('TRXUSDT: all eight minutes equal the exchange’s own, every field', async () => {
    const official = recordedTrxKlines() ?? [];
    const trades = recordedTrxTrades() ?? [];
    const from = official[0]?.openTime ?? 0;
    const to = from + 8 * MINUTE_MS;
    const { '1m': minutes } = await sendThrough({ symbol: 'TRXUSDT', trades, joinAt: 0, from, to });
    assert.equal(official.length, 8);
    assert.deepEqual(
      minutes.map((candle) => withoutIds(asTruth(candle))),
      official.map(withoutIds),
    );
  });

  for (const [name, joinAt] of [
    ['from its first trade', 0],
    ['joined in the middle of a minute', 1_234],
  ] as const) {
    test(`BTCUSDT ${name}: 1s and 1m equal the naive sums`, async () => {
      const all = recordedBtcTrades() ?? [];
      const from = Date.UTC(2026, 0, 1);
      const to = from + 12 * MINUTE_MS;
      const { '1s': seconds, '1m': minutes } = await sendThrough({
        symbol: 'BTCUSDT',
        trades: all.filter(({ T }) => T < to),
        joinAt,
        from,
        to,
      });
      const joined = Math.floor((all[joinAt]?.T ?? from) / MINUTE_MS) * MINUTE_MS;
      const isOurs = ({ openTime }: { openTime: number }) => openTime >= joined && openTime < to;
      const truth = (interval: '1s' | '1m') =>
        truthCandles(all, interval, { to, from }).filter(isOurs);
      assert.deepEqual(seconds.filter(isOurs).map(asTruth), truth('1s'));
      assert.deepEqual(minutes.filter(isOurs).map(asTruth), truth('1m'));
      assert.ok(
        minutes.filter(isOurs).every(({ source, complete }) => source === 'trades' && complete),
      );
    });
  }
});

test('what the store holds is what was published', async () => {
  const from = Date.UTC(2026, 0, 1);
  await using dir = await temporaryDir();
  await using exchange = await createFakeExchange({
    symbols: [{ symbol: 'ETHBTC', onboardTime: from }],
    clock: manualClock(from),
  });
  const run = await startPipeline({ exchange, dataDir: dir.path, symbols: ['ETHBTC'] });
  await exchange.whenSubscribed('ethbtc@aggTrade');
  const trades = Array.from({ length: 200 }, (_, index) => ({
    a: 1 + index,
    p: `0.0${34_567 + (index % 7)}000`.padEnd(10, '0'),
    q: `${1 + (index % 3)}.${String(1_234 * (index + 1)).padStart(8, '0')}`,
    f: 10 + index,
    l: 10 + index,
    T: from + index * 2_000,
    m: index % 2 === 0,
  }));
  await exchange.playAll({ ETHBTC: trades });
  exchange.advanceTo(from + 7 * MINUTE_MS);
  await run.untilClosed('1m', from + 5 * MINUTE_MS);
  const published = run.candles('1m');
  await run[Symbol.asyncDispose]();
  const again = await startPipeline({ exchange, dataDir: dir.path, symbols: ['ETHBTC'] });
  const query = {
    symbol: marketSymbol('ETHBTC'),
    interval: '1m',
    limit: 100,
    take: 'last',
  } as const;
  const stored = (await again.store.read(query)).filter(
    ({ openTime }) => openTime <= (published.at(-1)?.openTime ?? 0),
  );
  assert.deepEqual(stored, published);
  await again[Symbol.asyncDispose]();
});

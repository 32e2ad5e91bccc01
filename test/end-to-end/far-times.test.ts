// Times that cannot be, ids without a trade, and a series whose first id is not 0, through the whole pipeline over real sockets: every candle is still true (I1, I2).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { RAW_TICKS_DLQ } from '../../src/protocol/topics.ts';
import { asTruth } from '../candles/candle-run.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import {
  createFakeExchange,
  type FakeExchange,
  type Faults,
} from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { type AggTrade, truthCandles } from '../fake-exchange/truth.ts';
import { fastClock, startPipeline, type TestPipeline, temporaryDir } from './pipeline.ts';

const MINUTE_MS = 60_000;
const YEAR_MS = 365 * 86_400_000;
const FROM = Date.UTC(2026, 0, 14, 10);
const TO = FROM + 6 * MINUTE_MS;
const SPEED = 10;
/** The exchange has a past, but no trade of it. */
const klines = generateHistory({ seed: 2, to: FROM, days: 3 });

interface Live {
  readonly exchange: FakeExchange;
  readonly pipeline: TestPipeline;
  /** Reasons in `raw_ticks.dlq` so far. */
  reasons(): Promise<readonly string[]>;
}

async function live(
  faults: Faults,
  trades: readonly AggTrade[],
  act: (live: Live) => Promise<void>,
) {
  await using dir = await temporaryDir();
  await using exchange = await createFakeExchange({
    symbols: [{ symbol: 'BTCUSDT', klines }],
    clock: manualClock(FROM),
    faults,
  });
  await using pipeline = await startPipeline({
    exchange,
    dataDir: dir.path,
    symbols: ['BTCUSDT'],
    clock: fastClock(SPEED),
  });
  await using reader = pipeline.pipeline.log.consumer({
    group: 'test-dlq',
    topics: [RAW_TICKS_DLQ],
  });
  await exchange.whenSubscribed('btcusdt@aggTrade');
  const hasAsked = () =>
    exchange.requests.some(
      ({ path, query, status }) =>
        path.endsWith('aggTrades') && /limit=1(&|$)/.test(query) && status === 200,
    );
  for (let looks = 0; !hasAsked(); looks++) {
    assert(looks < 2_000, 'the join asks for the newest trade');
    await setTimeout(10);
  }
  if ((trades[0]?.T ?? FROM) > FROM + MINUTE_MS) {
    // The minute without a trade is over before there is one.
    exchange.advanceTo(FROM + MINUTE_MS + 1_000);
    await pipeline.untilClosed('1m', FROM);
  }
  const joined = trades.findIndex(({ T }) => T >= FROM + MINUTE_MS) + 1;
  await exchange.playAll({ BTCUSDT: trades.slice(0, joined) });
  await pipeline.untilClosed('1m', FROM);
  await exchange.playAll({ BTCUSDT: trades.slice(joined) });
  exchange.advanceTo(TO + 15_000);
  await pipeline.untilClosed('1m', TO - MINUTE_MS);
  const all: string[] = [];
  await act({
    exchange,
    pipeline,
    async reasons() {
      const records = await reader.poll({ timeoutMs: 200, signal: AbortSignal.timeout(2_000) });
      all.push(...records.map(({ value }) => value.reason));
      return all;
    },
  });
  assert.deepEqual(exchange.breaches, []);
}

/** From the second minute on: before the first trade there are seconds flat at the past's close. */
function assertTrue(pipeline: TestPipeline, trades: readonly AggTrade[]): void {
  const isOurs = ({ openTime }: { readonly openTime: number }) =>
    openTime >= FROM + MINUTE_MS && openTime < TO;
  for (const interval of ['1s', '1m'] as const) {
    const candles = pipeline.candles(interval).filter(isOurs);
    assert.deepEqual(
      candles.map(asTruth),
      truthCandles(trades, interval, { from: FROM + MINUTE_MS, to: TO }),
    );
    const isWhole = ({ complete, source, revision }: (typeof candles)[number]) =>
      complete && source === 'trades' && revision === 0;
    assert(candles.every(isWhole), interval);
  }
}

test('trades and closed klines a year off in some frames: each is refused, REST has the true one', async () => {
  const trades = generateTrades({ seed: 31, from: FROM, to: TO, tradesPerSecond: 2 });
  let count = 0;
  const changed: number[] = [];
  const faults: Faults = {
    onFrame(frame) {
      const isKline = frame.text.includes('"x":true') && frame.text.includes('"i":"1m"');
      if (!isKline && !frame.text.includes('"e":"aggTrade"')) return [frame];
      // The last minute's end is told by nothing else while the exchange stands still.
      if (isKline && frame.text.includes(`"t":${TO - MINUTE_MS}`)) return [frame];
      count += 1;
      if (!isKline && count % 29 !== 0) return [frame];
      const by = count % 2 === 0 ? YEAR_MS : -YEAR_MS;
      const id = Number(/"a":(\d+),/.exec(frame.text)?.[1]);
      if (!isKline) changed.push(id);
      const text = frame.text.replace(
        /"([tT])":(\d{13})/g,
        (_, key, time) => `"${key}":${Number(time) + by}`,
      );
      return [{ ...frame, text }];
    },
  };
  await live(faults, trades, async ({ pipeline, reasons }) => {
    assertTrue(pipeline, trades);
    assert(changed.length > 10, `${changed.length} changed`);
    const told = await reasons();
    const far = told.filter((reason) => /ms before to \d+ ms after/.test(reason));
    assert(far.length >= changed.length, `${far.length} of ${changed.length} told`);
    assert(far.every((reason) => /was \d+$/.test(reason)));
  });
});

test('the first trade of a symbol without any at REST begins the series with its id', async () => {
  const trades = generateTrades({ seed: 32, from: FROM, to: TO, tradesPerSecond: 2 })
    .filter(({ T }) => T > FROM + 65_000)
    .map((trade, index) => ({ ...trade, a: 700 + index }));
  await live({}, trades, async ({ pipeline, reasons }) => {
    const isWhole = pipeline.candles('1m').every(({ complete }) => complete);
    assert(isWhole, 'each complete');
    const truth = truthCandles(trades, '1m', { from: FROM + MINUTE_MS, to: TO });
    const ours = pipeline.candles('1m').filter(({ openTime }) => openTime > FROM && openTime < TO);
    assert.deepEqual(ours.map(asTruth), truth);
    assert.deepEqual(await reasons(), []);
  });
});

test('an id whose quantity is zero at REST too is used up, in no candle, and told in the dlq', async () => {
  const all = generateTrades({ seed: 34, from: FROM, to: TO, tradesPerSecond: 2 });
  const isNone = ({ a }: AggTrade) => a === 200 || (a >= 400 && a < 403);
  const sent = all.map((trade) => (isNone(trade) ? { ...trade, q: '0.00000000' } : trade));
  await live({}, sent, async ({ pipeline, reasons }) => {
    assertTrue(
      pipeline,
      all.filter((trade) => !isNone(trade)),
    );
    const told = (await reasons()).filter((reason) => /by REST \(q/.test(reason));
    assert.equal(told.length, 4);
  });
});

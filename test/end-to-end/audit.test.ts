// Every closed minute gets the verdict it must, over real sockets: holes repaired, klines that lie found out, a kill in between resumed (I1, I3, I5, I6).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { storePath } from '../../src/app/open-store.ts';
import type { Audit } from '../../src/core/audit/audit.ts';
import { decimal, formatDecimal } from '../../src/core/market/decimal.ts';
import { INTERVALS } from '../../src/core/market/interval.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { epochMs } from '../../src/core/market/time.ts';
import { binanceSource } from '../../src/feed/binance/feed.ts';
import { AUDITS } from '../../src/protocol/topics.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { asTruth } from '../candles/candle-run.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import {
  type AggTrade,
  createFakeExchange,
  type FakeExchange,
} from '../fake-exchange/fake-exchange.ts';
import { generateTrades } from '../fake-exchange/generate.ts';
import { truthCandles } from '../fake-exchange/truth.ts';
import { startProduct } from '../product/product.ts';
import { fastClock, startPipeline, type TestPipeline, temporaryDir } from './pipeline.ts';

const MINUTE_MS = 60_000;
/** What waits for half a minute waits for three seconds. */
const SPEED = 10;
const WAIT_MS_MAX = 60_000;
const FROM = Date.UTC(2024, 6, 1);
const MINUTES = 6;
const TO = FROM + MINUTES * MINUTE_MS;
const minuteAt = (index: number) => FROM + index * MINUTE_MS;

interface Run {
  readonly exchange: FakeExchange;
  readonly pipeline: TestPipeline;
  readonly trades: readonly AggTrade[];
  /** Resolves with the newest verdict on that minute once it is one of these. */
  until(index: number, ...verdicts: readonly Audit['verdict'][]): Promise<Audit>;
}

/** The market from its first trade on, live, with `prepare` done to the exchange before. */
async function live(
  options: { readonly symbol?: string; readonly tickSize?: string; readonly stepSize?: string },
  prepare: (exchange: FakeExchange, trades: readonly AggTrade[]) => void,
  act: (run: Run) => Promise<void>,
): Promise<void> {
  const { symbol = 'BTCUSDT', ...steps } = options;
  const price = symbol === 'ETHBTC' ? '0.03456' : '90000';
  const trades = generateTrades({
    seed: 9,
    from: FROM,
    to: TO,
    tradesPerSecond: 1,
    price,
    ...steps,
  });
  await using dir = await temporaryDir();
  await using exchange = await createFakeExchange({
    symbols: [{ symbol, onboardTime: FROM }],
    clock: manualClock(FROM),
  });
  prepare(exchange, trades);
  const clock = fastClock(SPEED);
  await using pipeline = await startPipeline({
    exchange,
    dataDir: dir.path,
    symbols: [symbol],
    clock,
  });
  await using reader = pipeline.pipeline.log.consumer({ group: 'test-audits', topics: [AUDITS] });
  await exchange.whenSubscribed(`${symbol.toLowerCase()}@aggTrade`);
  // Joined first: what follows comes by the stream, not by the join's request.
  const joined = trades.findIndex(({ T }) => T >= minuteAt(1)) + 1;
  await exchange.playAll({ [symbol]: trades.slice(0, joined) });
  await pipeline.untilClosed('1m', FROM);
  await exchange.playAll({ [symbol]: trades.slice(joined) });
  exchange.advanceTo(TO + 15_000);
  const newest = new Map<number, Audit>();
  const until = async (index: number, ...verdicts: readonly Audit['verdict'][]) => {
    const signal = AbortSignal.timeout(WAIT_MS_MAX);
    for (;;) {
      const audit = newest.get(minuteAt(index));
      if (audit !== undefined && verdicts.includes(audit.verdict)) return audit;
      assert.ok(!signal.aborted, `minute ${index} was ${audit?.verdict}: ${audit?.reason}`);
      for (const { value } of await reader.poll({ timeoutMs: 1_000, signal })) {
        newest.set(value.openTime, value);
      }
      await reader.commit([]);
    }
  };
  await pipeline.untilClosed('1m', minuteAt(MINUTES - 1));
  await act({ exchange, pipeline, trades, until });
  assert.deepEqual(exchange.breaches, []);
}

function assertTruth({ pipeline, trades }: Run): void {
  for (const interval of INTERVALS) {
    const truth = truthCandles(trades, interval, { from: FROM, to: TO, anchor: FROM });
    const candles = pipeline.candles(interval).filter(({ closeTime }) => closeTime < TO);
    assert.deepEqual(
      candles.map(asTruth),
      truth.filter(({ closeTime }) => closeTime < TO),
      interval,
    );
    assert.ok(
      candles.every(({ complete }) => complete),
      `${interval} is complete`,
    );
  }
}

/** Changes what the exchange says of the minute's close: its frame, and where `inRest` also its REST row. */
function lie(
  exchange: FakeExchange,
  index: number,
  inRest: boolean,
  change: (quoteVolume: string) => string = (text) => text.replace(/^\d/, '9'),
): void {
  exchange.faults.onFrame = (frame) => {
    const isIt = frame.text.includes(`"t":${minuteAt(index)},`) && frame.text.includes('"x":true');
    if (!isIt) return [frame];
    const text = frame.text.replace(/"q":"([^"]+)"/, (_, q: string) => `"q":"${change(q)}"`);
    return [{ ...frame, text }];
  };
  if (!inRest) return;
  exchange.faults.onRequest = ({ path, query }) => {
    if (path !== '/api/v3/klines' || query.get('interval') !== '1m') return undefined;
    const rows = exchange.market.candles(
      query.get('symbol') ?? '',
      '1m',
      { startTime: Number(query.get('startTime') ?? FROM), limit: Number(query.get('limit')) },
      exchange.now(),
    );
    const body = rows.map((row) => [
      row.openTime,
      row.open,
      row.high,
      row.low,
      row.close,
      row.volume,
      row.closeTime,
      row.openTime === minuteAt(index) ? change(row.quoteVolume) : row.quoteVolume,
      row.trades,
      row.takerBuyVolume,
      row.takerBuyQuoteVolume,
      '0',
    ]);
    const headers = { 'Content-Type': 'application/json' };
    return { status: 200, headers, body: JSON.stringify(body) };
  };
}

describe('audit', () => {
  test('a market without faults: every minute is verified, nothing is asked again', async () => {
    await live(
      {},
      () => {},
      async (run) => {
        for (let index = 0; index < MINUTES; index++) {
          const audit = await run.until(index, 'verified', 'repaired', 'differs', 'unverified');
          assert.deepEqual(
            [audit.verdict, audit.revision, audit.reason],
            ['verified', 0, undefined],
          );
        }
        assertTruth(run);
        await run.pipeline[Symbol.asyncDispose]();
      },
    );
  });

  test('I1: a hole that had to be passed is repaired by itself, and every candle over it corrected', async () => {
    const hole = { from: 0, to: 0 };
    const isInHole = (a: number) => a >= hole.from && a < hole.to;
    await live(
      {},
      (exchange, trades) => {
        const first = trades.findIndex(({ T }) => T >= minuteAt(2) + 20_000);
        hole.from = trades[first]?.a ?? 0;
        hole.to = hole.from + 5;
        exchange.faults.onFrame = (frame) => {
          const a = /"e":"aggTrade".*"a":(\d+)/.exec(frame.text)?.[1];
          return a !== undefined && isInHole(Number(a)) ? [] : [frame];
        };
        exchange.faults.onRequest = ({ path, query }) => {
          const fromId = query.get('fromId');
          if (path !== '/api/v3/aggTrades' || fromId === null) return undefined;
          const range = { fromId: Number(fromId), limit: Number(query.get('limit')) };
          const rows = exchange.market.trades('BTCUSDT', range, exchange.now());
          const body = JSON.stringify(rows.filter(({ a }) => !isInHole(a)));
          return { status: 200, headers: { 'Content-Type': 'application/json' }, body };
        };
      },
      async (run) => {
        await run.pipeline.untilClosed('1m', minuteAt(2));
        const [broken] = run.pipeline.candles('1m').filter(({ complete }) => !complete);
        assert.equal(broken?.openTime, minuteAt(2));
        run.exchange.faults.onRequest = undefined;
        const audit = await run.until(2, 'repaired');
        assert.equal(audit.revision, 1);
        await run.until(5, 'verified');
        assertTruth(run);
      },
    );
  });

  test('a frame that lies is asked about by REST: verified, and nothing is fetched again', async () => {
    await live(
      {},
      (exchange) => lie(exchange, 2, false),
      async (run) => {
        const audit = await run.until(2, 'verified', 'repaired', 'differs');
        assert.deepEqual([audit.verdict, audit.revision], ['verified', 0]);
        assertTruth(run);
      },
    );
  });

  test('an exchange that goes on saying otherwise: differs, with both values, ours unchanged', async () => {
    await live(
      {},
      (exchange) => lie(exchange, 2, true),
      async (run) => {
        const audit = await run.until(2, 'verified', 'repaired', 'differs');
        assert.equal(audit.verdict, 'differs', String(audit.reason));
        assert.match(
          String(audit.reason),
          /fetched again, gave the same; quoteVolume \d.* against 9/,
        );
        assert.notEqual(audit.ours?.quoteVolume, audit.theirs?.quoteVolume);
        assert.equal(
          run.exchange.requests.some(({ path }) => path === '/api/v3/aggTrades'),
          true,
        );
        assertTruth(run);
      },
    );
  });

  test('I3: the digits of an exchange that truncates more are taken over: verified, with rounding', async () => {
    const change = (text: string) => formatDecimal(decimal(text) - 2n);
    await live(
      { symbol: 'ETHBTC', tickSize: '0.00001', stepSize: '0.0001' },
      (exchange) => lie(exchange, 2, true, change),
      async (run) => {
        const first = await run.until(2, 'verified', 'repaired', 'differs');
        assert.deepEqual([first.verdict, first.rounding], ['verified', true]);
        const isIt = ({ interval = '1m', openTime }: { interval?: string; openTime: number }) =>
          interval === '1m' && openTime === minuteAt(2);
        await run.pipeline.untilPublished((candle) => isIt(candle) && candle.revision === 1);
        await run.pipeline.untilClosed('5m', FROM);
        const taken = run.pipeline.candles('1m').find(isIt);
        const { reason, source, quoteVolume } = taken ?? {};
        assert.deepEqual([reason, source], ['rounding', 'trades']);
        const truth = truthCandles(run.trades, '1m').find(isIt);
        assert.equal(quoteVolume, decimal(change(truth?.quoteVolume ?? '')));
        const minutes = run.pipeline.candles('1m').slice(0, 5);
        const [five] = run.pipeline.candles('5m');
        const sum = minutes.reduce((total, minute) => total + minute.quoteVolume, 0n);
        assert.equal(five?.quoteVolume, sum);
      },
    );
  });
});

test('I6: killed between the question and its answer, the minute has its verdict after the restart', async () => {
  const symbol = 'BTCUSDT';
  const trades = generateTrades({ seed: 9, from: FROM, to: TO, tradesPerSecond: 1 });
  await using dir = await temporaryDir();
  await using exchange = await createFakeExchange({
    symbols: [{ symbol, onboardTime: FROM }],
    clock: manualClock(FROM),
  });
  await using running = new AsyncDisposableStack();
  const start = async () => {
    const product = running.use(await startProduct({ exchange, dataDir: dir.path }));
    await exchange.whenSubscribed('btcusdt@aggTrade');
    return product;
  };
  const source = binanceSource({ restUrls: [exchange.restUrl], webSocketUrls: [exchange.wsUrl] });
  const path = storePath(dir.path, source);
  const untilStore = async (
    isSo: (store: Awaited<ReturnType<typeof openSqliteStore>>) => Promise<boolean>,
  ): Promise<void> => {
    await using store = await openSqliteStore({ path, source, readOnly: true });
    const deadline = performance.now() + WAIT_MS_MAX;
    while (!(await isSo(store))) {
      assert.ok(performance.now() < deadline, `${isSo}`);
      await setImmediate();
    }
  };
  const verdictOn = async (
    store: Awaited<ReturnType<typeof openSqliteStore>>,
    index: number,
  ): Promise<string | undefined> => {
    const openTime = epochMs(minuteAt(index));
    const range = { from: openTime, to: openTime, limit: 1, take: 'first' as const };
    return (await store.readAudits({ symbol: marketSymbol(symbol), ...range }))[0]?.verdict;
  };

  const first = await start();
  lie(exchange, 2, true);
  const until = trades.findIndex(({ T }) => T >= minuteAt(4));
  await exchange.playAll({ [symbol]: trades.slice(0, until) });
  await untilStore(async (store) => (await verdictOn(store, 1)) === 'verified');
  await untilStore(async (store) => {
    const last = await store.lastOpenTime(marketSymbol(symbol), '1m');
    return last !== undefined && last >= minuteAt(2);
  });
  await first.kill();
  await untilStore(async (store) => (await verdictOn(store, 2)) === undefined);
  exchange.faults.onFrame = undefined;
  exchange.faults.onRequest = undefined;
  await start();
  await exchange.playAll({ [symbol]: trades.slice(until) });
  exchange.advanceTo(TO + 15_000);
  await untilStore(async (store) => (await verdictOn(store, 2)) === 'verified');
  await untilStore(async (store) => (await verdictOn(store, 5)) === 'verified');
});

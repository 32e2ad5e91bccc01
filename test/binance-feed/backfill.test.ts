// Back-fill against the fake exchange: what is missing is found and fetched, within the weight limit, once, and never over a candle that is there.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Candle } from '../../src/core/market/candle.ts';
import { formatDecimal } from '../../src/core/market/decimal.ts';
import { INTERVALS, type Interval } from '../../src/core/market/interval.ts';
import type { Clock } from '../../src/core/market/time.ts';
import { epochMs } from '../../src/core/market/time.ts';
import { binanceKlineHistory } from '../../src/feed/binance/kline-history.ts';
import {
  type BackfillOptions,
  type BackfillProgress,
  backfill,
} from '../../src/stages/backfill.ts';
import type { CandleStore } from '../../src/store/candle-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { BTCUSDT, candleAt } from '../contracts/candle-store-contract.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange, type FakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateHistory } from '../fake-exchange/generate.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const NOW = Date.UTC(2026, 0, 14, 10);
const FROM = NOW - 3 * DAY;
const klines = generateHistory({ seed: 2, to: NOW, days: 40, minuteDays: 5 });
const minutes = (klines['1m'] ?? []).filter(({ openTime }) => openTime >= FROM);
/** The newest ten minutes are the stream's. */
const MINUTES = (3 * DAY) / MINUTE - 10;

const folder = mkdtempSync(join(tmpdir(), 'backfill-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

interface Setting {
  readonly exchange: FakeExchange;
  readonly store: CandleStore;
  readonly run: (changes?: Partial<BackfillOptions>) => Promise<BackfillProgress>;
}

async function withExchange(test: (setting: Setting) => Promise<void>): Promise<void> {
  await using exchange = await createFakeExchange({
    clock: manualClock(NOW),
    symbols: [{ symbol: 'BTCUSDT', klines }],
  });
  // Its clock stands still; waits last 10 ms at most, so that no test sleeps.
  const clock: Clock = {
    now: () => epochMs(NOW),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 10))),
  };
  await using history = binanceKlineHistory({
    restUrls: [exchange.restUrl],
    webSocketUrls: [exchange.wsUrl],
    clock,
    random: () => 0.5,
    logger: { info() {}, warn() {} },
  });
  files += 1;
  const path = join(folder, `${files}.db`);
  await using store = await openSqliteStore({ path, source: history.source });
  const run: Setting['run'] = (changes = {}) =>
    backfill({
      history,
      store,
      symbols: [BTCUSDT],
      intervals: ['1m'],
      from: epochMs(FROM),
      to: epochMs(NOW),
      keepSecondsMs: DAY,
      clock,
      onProgress: () => undefined,
      onFailure: (error) => assert.fail(String(error)),
      onRefused: () => assert.fail('refused'),
      signal: new AbortController().signal,
      ...changes,
    });
  await test({ exchange, store, run });
  assert.deepEqual(exchange.breaches, []);
}

const kept = (store: CandleStore, interval: Interval = '1m') =>
  store.read({ symbol: BTCUSDT, interval, limit: 100_000, take: 'first' });

const klineRequests = (exchange: FakeExchange) =>
  exchange.requests.filter(({ path }) => path.endsWith('/klines')).length;

const closes = (candles: readonly Candle[]) =>
  candles.map(({ openTime, close }) => [openTime, formatDecimal(close)]);

describe('backfill', () => {
  it('ends quietly when it is stopped before the exchange has answered', async () => {
    await withExchange(async ({ exchange, run }) => {
      exchange.freeze('everything');
      const stop = new AbortController();
      const running = run({ signal: stop.signal });
      stop.abort();
      assert.deepEqual(await running, { candles: 0, windows: 0, windowsTotal: 0 });
    });
  });

  it('fills an empty store with every interval, and finds nothing to do the second time', () =>
    withExchange(async ({ exchange, store, run }) => {
      const intervals = INTERVALS.filter((interval) => interval !== '1s');
      const seen: BackfillProgress[] = [];
      const end = await run({ intervals, onProgress: (progress) => seen.push(progress) });
      const found = await kept(store);
      assert.equal(found.length, MINUTES);
      assert.deepEqual(
        closes(found),
        minutes.slice(0, MINUTES).map(({ openTime, close }) => [openTime, close]),
      );
      assert.ok(found.every(({ source, complete }) => source === 'klines' && complete));
      for (const interval of intervals) {
        const some = await kept(store, interval);
        assert.ok(some.length > 0 || ['3d', '1w', '1M'].includes(interval), interval);
      }
      assert.ok(end.candles > MINUTES);
      assert.equal(end.windows, end.windowsTotal);
      assert.ok(seen.every(({ windows }, index) => windows >= (seen[index - 1]?.windows ?? 0)));
      const asked = klineRequests(exchange);
      const again = await run({ intervals });
      assert.equal(again.candles, 0);
      // Only where the 3d windows are is not known beforehand.
      assert.ok(klineRequests(exchange) - asked <= 1);
      assert.deepEqual(await kept(store), found);
      await run({ intervals: ['3d', '1w', '1M'], from: epochMs(NOW - 39 * DAY) });
      assert.equal((await kept(store, '3d')).length, 12);
      assert.equal((await kept(store, '1w')).length, 5);
    }));

  it('fetches the missing months alone, and never over a candle that is there', () =>
    withExchange(async ({ exchange, store, run }) => {
      const proved = [100, 101, 102, 2_000].map((index) =>
        candleAt(0, { openTime: epochMs(FROM + index * MINUTE), trades: index }),
      );
      await store.write(proved);
      const end = await run();
      assert.equal(end.candles, MINUTES - proved.length);
      const found = await kept(store);
      assert.equal(found.length, MINUTES);
      assert.deepEqual(
        found.filter(({ source }) => source === 'trades'),
        proved,
      );
      assert.equal(klineRequests(exchange), 1 + 2 + 3, 'a page of 1,000 each');
    }));

  it('goes on where it was ended', () =>
    withExchange(async ({ exchange, store, run }) => {
      const stop = new AbortController();
      await run({
        onProgress: ({ candles }) => candles > 0 && stop.abort(),
        signal: stop.signal,
      });
      const first = (await kept(store)).length;
      assert.ok(first > 0 && first < MINUTES, `${first} at first`);
      const asked = klineRequests(exchange);
      const end = await run();
      assert.equal(end.candles, MINUTES - first);
      assert.equal((await kept(store)).length, MINUTES);
      assert.ok(klineRequests(exchange) - asked <= 5);
    }));

  it('tries again while the store takes nothing, and loses nothing', () =>
    withExchange(async ({ store, run }) => {
      let failures = 3;
      const failing: CandleStore = {
        ...store,
        async write(candles) {
          failures -= 1;
          if (failures >= 0) throw new Error('disk full');
          return store.write(candles);
        },
      };
      let told = 0;
      await run({
        store: failing,
        onFailure: () => {
          told += 1;
        },
      });
      assert.equal(told, 3);
      assert.equal((await kept(store)).length, MINUTES);
    }));

  it('leaves seconds alone that would be removed again, and the newest minutes to the stream', () =>
    withExchange(async ({ store, run }) => {
      await run({ intervals: ['1s'], keepSecondsMs: MINUTE });
      assert.deepEqual(await kept(store, '1s'), []);
      await run({ from: epochMs(NOW - 5 * MINUTE) });
      assert.deepEqual(await kept(store), []);
    }));
});

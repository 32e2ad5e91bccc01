// I6: killed with kill -9 five times during one minute and restarted, the store holds the candles it would have held without.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import WebSocket from 'ws';
import { storePath } from '../../src/app/open-store.ts';
import { INTERVALS } from '../../src/core/market/interval.ts';
import type { Source } from '../../src/core/market/source.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { binanceSource } from '../../src/feed/binance/feed.ts';
import { formatParts } from '../../src/protocol/agg-trade-record.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { asTruth } from '../candles/candle-run.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { recordedBtcTrades, skipWithoutData } from '../fake-exchange/recorded.ts';
import { truthCandles } from '../fake-exchange/truth.ts';
import { startProduct } from '../product/product.ts';
import { temporaryDir } from './pipeline.ts';

const SYMBOL = 'BTCUSDT';
const MINUTE_MS = 60_000;
const KILLS = 5;
const WAIT_MS_MAX = 30_000;

/** Resolves when the product's own stream sends what `isThere` waits for; `opened` may answer first. */
async function untilStreamed(
  url: string,
  stream: string,
  isThere: (event: Record<string, unknown>) => boolean,
  opened: () => Promise<boolean> = async () => false,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/${stream}`);
  const deadline = setTimeout(() => reject(new Error(`Not seen on ${stream}`)), WAIT_MS_MAX);
  socket.on('message', (data) => {
    if (isThere(JSON.parse(String(data)))) resolve();
  });
  socket.on('open', () => {
    opened().then((isThere) => (isThere ? resolve() : undefined), reject);
  });
  socket.on('error', reject);
  await promise.finally(() => {
    clearTimeout(deadline);
    socket.terminate();
  });
}

/** Resolves when the product has folded that trade: its stream sends it, or its REST has it already. */
function untilFolded(url: string, aggTradeId: number): Promise<void> {
  return untilStreamed(
    url,
    'btcusdt@aggTrade',
    ({ a }) => Number(a) >= aggTradeId,
    async () => {
      const response = await fetch(`${url}/api/v3/aggTrades?symbol=${SYMBOL}&limit=1`);
      const body: unknown = await response.json();
      return Array.isArray(body) && Number(body[0]?.a ?? 0) >= aggTradeId;
    },
  );
}

/** Resolves when the store holds the minute that opens at `openTime`, read beside the writer. */
async function untilStored(path: string, source: Source, openTime: number): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  await using store = await openSqliteStore({ path, source, readOnly: true });
  while (((await store.lastOpenTime(marketSymbol(SYMBOL), '1m')) ?? 0) < openTime) {
    if (performance.now() > deadline) throw new Error(`The minute ${openTime} was not stored`);
    await setImmediate();
  }
}

describe('kill -9', { skip: skipWithoutData() }, () => {
  test('I6: five times during a minute: the same candles in the store as without, and every trade', async () => {
    const all = recordedBtcTrades() ?? [];
    const from = Date.UTC(2026, 0, 1);
    const to = from + 6 * MINUTE_MS;
    const trades = all.filter(({ T }) => T < to);
    const killed = from + 3 * MINUTE_MS;
    const inMinute = trades.filter(({ T }) => T >= killed && T < killed + MINUTE_MS);
    await using dir = await temporaryDir();
    await using exchange = await createFakeExchange({
      symbols: [{ symbol: SYMBOL, onboardTime: from }],
      clock: manualClock(from),
    });
    await using running = new AsyncDisposableStack();
    const start = async () => {
      const args = ['--keep-trades', '7d'];
      const product = running.use(await startProduct({ exchange, dataDir: dir.path, args }));
      await exchange.whenSubscribed('btcusdt@aggTrade');
      return product;
    };
    let sent = 0;
    const sendUpTo = async (count: number) => {
      await exchange.playAll({ [SYMBOL]: trades.slice(sent, count) });
      sent = count;
    };
    let product = await start();
    await sendUpTo(trades.findIndex(({ T }) => T >= killed) + 1);
    const source = binanceSource({
      restUrls: [exchange.restUrl],
      webSocketUrls: [exchange.wsUrl],
    });
    const path = storePath(dir.path, source);
    // Else the first start would be undone as a whole: the next one takes those minutes from klines.
    await untilStored(path, source, killed - MINUTE_MS);
    for (let kill = 0; kill < KILLS; kill++) {
      const chunk = Math.floor(inMinute.length / (KILLS + 1));
      await sendUpTo(sent + Math.floor(chunk / 2));
      await untilFolded(product.url, trades[sent - 1]?.a ?? 0);
      await product.kill();
      // The market does not wait.
      await sendUpTo(sent + Math.floor(chunk / 2));
      product = await start();
    }
    await sendUpTo(trades.length);
    const last = to - MINUTE_MS;
    const closed = untilStreamed(product.url, 'btcusdt@kline_1m', ({ k }) => {
      const kline = k as { t: number; x: boolean };
      return kline.x && kline.t === last;
    });
    await untilFolded(product.url, trades.at(-1)?.a ?? 0);
    exchange.advanceTo(to + 5_000);
    await closed;
    assert.equal(await product.stop(), 0, 'Ctrl-C ends it cleanly');
    assert.deepEqual(exchange.breaches, []);

    await using store = await openSqliteStore({ path, source, readOnly: true });
    for (const interval of INTERVALS) {
      const query = {
        symbol: marketSymbol(SYMBOL),
        interval,
        limit: 10_000,
        take: 'last',
      } as const;
      const stored = await store.read(query);
      const truth = truthCandles(trades, interval, { from, to }).filter(
        ({ closeTime }) => closeTime < to,
      );
      assert.deepEqual(stored.map(asTruth), truth, interval);
    }
    const kept = await store.trades.read({
      symbol: marketSymbol(SYMBOL),
      limit: trades.length + 1,
      take: 'first',
    });
    assert.deepEqual(
      kept.map(({ aggTradeId, tradeTime, firstTradeId, lastTradeId, buyerIsMaker, ...amounts }) => [
        ...[aggTradeId, tradeTime, firstTradeId, lastTradeId, buyerIsMaker],
        formatParts(amounts.priceInteger, amounts.priceFraction),
        formatParts(amounts.quantityInteger, amounts.quantityFraction),
      ]),
      trades.map(({ a, T, f, l, m, p, q }) => [a, T, f, l, m, p, q]),
      'every trade, each once',
    );
  });
});

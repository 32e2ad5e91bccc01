// The database is killed and comes back while candles are written: the stream and the dashboard go on and say so, and nothing is missing afterwards.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INTERVALS } from '../../src/core/market/interval.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { binanceSource } from '../../src/feed/binance/feed.ts';
import { openSocket, type TestSocket } from '../../src/server/testing/test-server.ts';
import { openTimescaleStore } from '../../src/store/timescale/timescale-store.ts';
import { asTruth } from '../candles/candle-run.ts';
import { startPipeline, temporaryDir } from '../end-to-end/pipeline.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateTrades } from '../fake-exchange/generate.ts';
import { truthCandles } from '../fake-exchange/truth.ts';
import { debianPostgresPrograms, startDebianPostgres } from './servers/debian-postgres.ts';

const SYMBOL = 'BTCUSDT';
const MINUTE_MS = 60_000;
const FROM = Date.UTC(2024, 6, 1);
const TO = FROM + 8 * MINUTE_MS;
const KILLED = FROM + 2.5 * MINUTE_MS;
const BACK = FROM + 5.5 * MINUTE_MS;
const WAIT_MS_MAX = 60_000;

const programs = debianPostgresPrograms();
const isMissing = programs === undefined && process.env['CI'] !== 'true';

test('PostgreSQL killed with kill -9 and back: the stream goes on, the strip says so, every candle and trade is there', {
  skip: isMissing ? 'the Debian package postgresql is not installed' : false,
}, async () => {
  assert.ok(programs !== undefined, 'the Debian package postgresql is not installed');
  await using server = await startDebianPostgres(programs);
  await using dir = await temporaryDir();
  await using exchange = await createFakeExchange({
    symbols: [{ symbol: SYMBOL, onboardTime: FROM }],
    clock: manualClock(FROM),
  });
  const trades = generateTrades({ seed: 5, from: FROM, to: TO, tradesPerSecond: 5 });
  const flags = { 'database-url': server.url, 'keep-trades': '7d' };
  const symbols = [SYMBOL];
  await using running = await startPipeline({ exchange, dataDir: dir.path, symbols, flags });
  await exchange.whenSubscribed('btcusdt@aggTrade');
  const play = (from: number, to: number) =>
    exchange.playAll({ [SYMBOL]: trades.filter(({ T }) => T >= from && T < to) });
  const symbol = marketSymbol(SYMBOL);

  await play(FROM, KILLED);
  await running.untilClosed('1m', FROM + MINUTE_MS);
  const page = await watchPage(running.pipeline.url);
  await page.until('the chart is there', ({ newest }) => newest >= FROM + 2 * MINUTE_MS);
  assert.equal(page.told.status?.storeFault, undefined);
  await server.kill();

  await play(KILLED, BACK);
  await running.untilClosed('1m', FROM + 4 * MINUTE_MS);
  await page.until('candles after the kill', ({ newest }) => newest >= FROM + 5 * MINUTE_MS);
  await page.until('the strip says so', ({ status }) =>
    /PostgreSQL runs there/.test(String(status?.storeFault)),
  );
  const late = await watchPage(running.pipeline.url);
  await late.until('a page opened meanwhile', ({ newest }) => newest >= FROM + 5 * MINUTE_MS);
  late.socket.close();

  await server.restart();
  await play(BACK, TO);
  exchange.advanceTo(TO + 15_000);
  await running.untilClosed('1m', TO - MINUTE_MS);
  await page.until('the store is well again', ({ status }) => status?.storeFault === undefined);
  page.socket.close();
  await running[Symbol.asyncDispose]();
  assert.deepEqual(exchange.breaches, []);

  const source = binanceSource({ restUrls: [exchange.restUrl], webSocketUrls: [exchange.wsUrl] });
  await using store = await openTimescaleStore({ url: server.url, source, readOnly: true });
  for (const interval of INTERVALS) {
    const stored = await store.read({ symbol, interval, limit: 10_000, take: 'last' });
    const truth = truthCandles(trades, interval, { from: FROM, to: TO });
    assert.deepEqual(
      stored.map(asTruth),
      truth.filter(({ closeTime }) => closeTime < TO),
      interval,
    );
  }
  const kept = await store.trades.read({ symbol, limit: 10_000, take: 'first' });
  assert.deepEqual(
    kept.map(({ aggTradeId, tradeTime }) => [aggTradeId, tradeTime]),
    trades.map(({ a, T }) => [a, T]),
  );
});

interface Told {
  status: { readonly state: string; readonly storeFault?: string } | undefined;
  /** Open time of the newest 1m candle on the page. */
  newest: number;
}

/** What a dashboard that looks at 1m is told. */
async function watchPage(url: string) {
  const { socket, next }: TestSocket = await openSocket(`${url}/api/v1/live`);
  socket.send(JSON.stringify({ type: 'watch', symbol: SYMBOL, interval: '1m', limit: 100 }));
  const told: Told = { status: undefined, newest: 0 };
  const hear = async (): Promise<void> => {
    const message = await next();
    const { status, candles } = message as { status?: Told['status']; candles?: number[][] };
    if (status !== undefined) told.status = status;
    told.newest = Math.max(told.newest, candles?.at(-1)?.[0] ?? 0);
  };
  const until = async (what: string, isSo: (told: Told) => boolean): Promise<void> => {
    const deadline = performance.now() + WAIT_MS_MAX;
    // A status comes every second at least.
    while (told.status === undefined || !isSo(told)) {
      assert.ok(performance.now() < deadline, `Not so: ${what}; told ${JSON.stringify(told)}`);
      await hear();
    }
  };
  return { socket, told, until };
}

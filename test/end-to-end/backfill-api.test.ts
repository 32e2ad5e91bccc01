// A gap filled while everything runs: asked for over HTTP, fetched beside the stream within its request limits, shown by the page of candles.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { BackfillView } from '../../src/protocol/backfill.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange } from '../fake-exchange/fake-exchange.ts';
import { generateHistory } from '../fake-exchange/generate.ts';
import { startPipeline, temporaryDir } from './pipeline.ts';

const MINUTE_MS = 60_000;
const WAIT_MS_MAX = 30_000;
const NOW = Date.UTC(2026, 0, 14, 10);
/** Older than the 1,500 minutes a start brings. */
const FROM = NOW - 2_900 * MINUTE_MS;
const TO = NOW - 1_700 * MINUTE_MS;
/** An outage of the exchange in it: no klines. */
const OUTAGE = { from: FROM + 100 * MINUTE_MS, to: FROM + 130 * MINUTE_MS };

test('fetches the exchange’s own candles of a gap while it streams, and says what the exchange lacks', {
  timeout: 120_000,
}, async () => {
  const klines = generateHistory({ seed: 2, to: NOW, days: 4, minuteDays: 4 });
  const minutes = (klines['1m'] ?? []).filter(
    ({ openTime }) => openTime < OUTAGE.from || openTime >= OUTAGE.to,
  );
  await using dir = await temporaryDir();
  await using exchange = await createFakeExchange({
    clock: manualClock(NOW),
    symbols: [{ symbol: 'BTCUSDT', klines: { ...klines, '1m': minutes } }],
  });
  await using run = await startPipeline({ exchange, dataDir: dir.path, symbols: ['BTCUSDT'] });
  await exchange.whenSubscribed('btcusdt@aggTrade');
  const { url } = run.pipeline;
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${url}/api/v1/${path}`, init);
    return { status: response.status, body: await response.json() };
  };
  const gap = { symbol: 'BTCUSDT', interval: '1m', from: FROM, to: TO };
  const headers = { 'content-type': 'application/json' };
  const post = () => ask('backfills', { method: 'POST', headers, body: JSON.stringify(gap) });
  // Refused until the feed has been heard of.
  const begun = await until(post, ({ status }) => status === 202);
  const { id } = begun.body.backfill;
  const { body } = await until(
    () => ask(`backfills/${id}`),
    (answer) => answer.body.backfill.state !== 'running',
  );
  const end: BackfillView = body.backfill;
  assert.deepEqual(
    [end.state, end.reason, end.candles, end.windows, end.windowsTotal],
    ['done', undefined, 1_170, 1_200, 1_200],
  );
  const page = await ask(`candles?symbol=BTCUSDT&interval=1m&before=${TO}&limit=2000`);
  assert.deepEqual(
    page.body.candles.map((row: readonly unknown[]) => [row[0], row[4], row[5]]),
    minutes
      .filter(({ openTime }) => openTime >= FROM && openTime < TO)
      .map(({ openTime, close, volume }) => [openTime, close, volume]),
  );
  assert.deepEqual(exchange.breaches, []);
});

async function until<T>(ask: () => Promise<T>, isIt: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const answer = await ask();
    if (isIt(answer)) return answer;
    assert.ok(Date.now() < deadline, `Never became so: ${JSON.stringify(answer)}`);
    await setTimeout(20);
  }
}

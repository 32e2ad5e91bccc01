import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { candleAt } from '../../test/contracts/candle-store-contract.ts';
import { temporaryDir } from '../../test/end-to-end/pipeline.ts';
import { createFakeExchange } from '../../test/fake-exchange/fake-exchange.ts';
import { marketSymbol } from '../core/market/symbol.ts';
import { binanceSource } from '../feed/binance/feed.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { chooseFeed } from './choose-feed.ts';
import { readConfig } from './config.ts';
import { storePath } from './open-store.ts';
import { systemClock } from './system-clock.ts';

const REFUSED = { status: 403, headers: {}, body: '<html>403 Forbidden</html>' };
const SYMBOL = marketSymbol('BTCUSDT');

/** Chooses for an exchange that refuses us, in a data directory with real candles. */
async function chooseRefused(source: string) {
  const closing = new AsyncDisposableStack();
  const dir = closing.use(await temporaryDir());
  const exchange = closing.use(
    await createFakeExchange({ faults: { onRequest: () => REFUSED, onUpgrade: () => 403 } }),
  );
  const { restUrl, wsUrl } = exchange;
  const endpoints = { restUrls: [restUrl], webSocketUrls: [wsUrl] };
  const of = binanceSource(endpoints);
  await using store = await openSqliteStore({ path: storePath(dir.path, of), source: of });
  await store.write([candleAt(0)]);
  const flags = {
    source,
    'binance-rest-url': restUrl,
    'binance-ws-url': wsUrl,
    'data-dir': dir.path,
  };
  const config = readConfig({ flags, env: {}, isTerminal: false });
  const logger = pino({ level: 'silent' });
  const { signal } = new AbortController();
  const chosen = await chooseFeed({ config, clock: systemClock, logger, signal });
  closing.use(chosen.feed);
  return { ...chosen, closing };
}

test('real candles and an exchange that refuses us: they are shown, it says why and tries on', async () => {
  const { feed, notice = '', closing } = await chooseRefused('auto');
  await using _ = closing;
  assert.match(notice, /403.*showing the candles kept so far and trying on/);
  const stop = new AbortController();
  const starts = [{ symbol: SYMBOL, resumeFrom: undefined }];
  for await (const event of feed.stream(starts, stop.signal)) {
    if (event.type === 'state' && /HTTP 403/.test(event.reason ?? '')) stop.abort();
  }
  assert(stop.signal.aborted, 'the reason is told, and the refusal has not ended the stream');
});

test('Binance and nothing else: refused everywhere from the start, it ends with what to try', async () => {
  const { feed, closing } = await chooseRefused('binance');
  await using _ = closing;
  const { signal } = new AbortController();
  await assert.rejects(
    async () => {
      for await (const event of feed.stream([{ symbol: SYMBOL, resumeFrom: undefined }], signal)) {
        void event;
      }
    },
    { code: 'refused', message: /data-api\.binance\.vision/ },
  );
});

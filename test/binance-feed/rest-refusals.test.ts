// What a REST that refuses, hangs, lags or tells another time does to a feed, over real sockets: it waits, tries again, and says so in one line.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/app/system-clock.ts';
import { addMs, epochMs } from '../../src/core/market/time.ts';
import { REST_TIMEOUT_MS } from '../../src/feed/binance/rest-request.ts';
import { networkTransport, type Transport } from '../../src/feed/binance/transport.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange, type Faults } from '../fake-exchange/fake-exchange.ts';
import { generateHistory, generateTrades } from '../fake-exchange/generate.ts';
import { assertContiguous, type WatchOptions, watchFeed } from './watched-feed.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 0, 14, 10);
const JOIN = NOW + 20_000;
const klines = generateHistory({ seed: 2, to: NOW, days: 3 });
const trades = generateTrades({ seed: 56, from: NOW, to: NOW + 3 * MINUTE, tradesPerSecond: 5 });

/** `before`: REST endpoints that are preferred to the exchange's. */
async function refusing(
  faults: Faults,
  options: WatchOptions = {},
  before: readonly string[] = [],
) {
  await using exchange = await createFakeExchange({
    clock: manualClock(JOIN),
    symbols: [{ symbol: 'BTCUSDT', klines, trades: trades.filter(({ T }) => T < JOIN) }],
    faults,
  });
  await using feed = watchFeed(exchange, {
    restUrls: [...before, exchange.restUrl],
    ...options,
  });
  await feed.live();
  await exchange.playAll({ BTCUSDT: trades.filter(({ T }) => T >= JOIN) });
  exchange.advanceTo(NOW + 3 * MINUTE + 15_000);
  const last = trades.at(-1)?.a ?? 0;
  await feed.until(() => feed.trades().at(-1)?.aggTradeId === last, 'the last trade');
  assertContiguous(feed.trades(), trades[0]?.a ?? 0, last);
  assert.deepEqual(exchange.breaches, []);
  return feed.events.flatMap((event) => (event.type === 'state' ? [event.reason ?? ''] : []));
}

test('418 with Retry-After: nothing is asked meanwhile, and the state says it', async () => {
  let bannedAt = 0;
  let early = 0;
  const start = JOIN - performance.now();
  const now = () => epochMs(Math.floor(start + performance.now()));
  const reasons = await refusing(
    {
      onRequest({ path }) {
        if (bannedAt > 0) {
          if (performance.now() - bannedAt < 900) early += 1;
          return undefined;
        }
        if (path !== '/api/v3/aggTrades') return undefined;
        bannedAt = performance.now();
        return { status: 418, headers: { 'Retry-After': '1' }, body: '{"code":-1003,"msg":"x"}' };
      },
    },
    { clock: { now, sleep: systemClock.sleep } },
  );
  // Those under way at once were sent before the answer came.
  assert(early <= 8, `${early} asked while banned`);
  assert(reasons.some((reason) => /has banned this address; waiting 1 s/.test(reason)));
});

for (const [status, what] of [
  [403, /refuses this address \(HTTP 403\).*data-api\.binance\.vision/],
  [451, /does not serve this country \(HTTP 451\).*data-api\.binance\.vision/],
] as const) {
  test(`HTTP ${status} everywhere ends the stream with the endpoints to try`, async () => {
    await using exchange = await createFakeExchange({
      faults: { onRequest: () => ({ status, headers: {}, body: '<html>' }) },
    });
    await using feed = watchFeed(exchange);
    await assert.rejects(feed.ended, { code: 'refused', message: what });
  });
}

test('an HTML page in place of an answer names the page and what may be in between', async () => {
  const body = '<html><body>Please log in</body></html>';
  await using exchange = await createFakeExchange({
    faults: { onRequest: () => ({ status: 200, headers: {}, body }) },
  });
  await using feed = watchFeed(exchange);
  await assert.rejects(feed.ended, { code: 'refused', message: /Please log in.*proxy or login/ });
});

/** The network, with time-outs a twentieth as long; `asked` has each host with the time it was given. */
function impatient() {
  const network = networkTransport();
  const asked: { readonly host: string; readonly timeoutMs: number }[] = [];
  const get: Transport['get'] = (url, options) => {
    const { timeoutMs } = options;
    asked.push({ host: url.host, timeoutMs });
    return network.get(url, { ...options, timeoutMs: timeoutMs / 20 });
  };
  return { asked, transport: { ...network, get } };
}

test('a REST endpoint that never answers is left after its time for the next one: nothing is lost', async () => {
  let questions = 0;
  await using silent = await createFakeExchange({
    faults: {
      onRequest() {
        questions += 1;
        return 'hang';
      },
    },
  });
  const { asked, transport } = impatient();
  const reasons = await refusing({}, { transport }, [silent.restUrl]);
  const { host } = new URL(silent.restUrl);
  assert(questions > 0);
  assert(asked.every(({ timeoutMs }) => timeoutMs === REST_TIMEOUT_MS));
  assert.equal(asked[0]?.host, host);
  assert(asked.some((one) => one.host !== host));
  assert(reasons.includes(`REST: ${host}: no answer in time`), reasons.join('\n'));
});

test('the only REST endpoint falls silent while trades are missing: asked again later, it fills the hole', async () => {
  const hole = trades.filter(({ T }) => T > JOIN + 30_000).slice(0, 3);
  let silences = 0;
  const reasons = await refusing(
    {
      onFrame: (frame) => {
        const id = Number(/"e":"aggTrade".*"a":(\d+),/.exec(frame.text)?.[1]);
        return hole.some(({ a }) => a === id) ? [] : [frame];
      },
      onRequest({ query }) {
        if (Number(query.get('fromId')) !== hole[0]?.a || silences === 2) return undefined;
        silences += 1;
        return 'hang';
      },
    },
    { transport: impatient().transport },
  );
  assert.equal(silences, 2);
  assert(
    reasons.some((reason) => /^REST: .*: no answer in time$/.test(reason)),
    reasons.join('\n'),
  );
});

test('a REST three seconds behind the socket: no trade is lost or comes twice', async () => {
  await refusing({ restLagMs: 3_000 });
});

test('a machine five minutes off the exchange, either way, takes every trade', async () => {
  for (const off of [-5 * MINUTE, 5 * MINUTE]) {
    const start = JOIN - performance.now() + off;
    const clock = {
      now: () => addMs(epochMs(Math.floor(start)), Math.floor(performance.now())),
      sleep: systemClock.sleep,
    };
    await refusing({}, { clock });
  }
});

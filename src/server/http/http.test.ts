import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import {
  aCandle,
  aLiveCandle,
  anAudit,
  aTrade,
  liveStatus,
  minute,
} from '../../stages/serve/testing/market-fixtures.ts';
import { STORE_SIZE_INTERVAL_MS } from '../store-size.ts';
import { openSocket, testServer } from '../testing/test-server.ts';

describe('/api/v1', () => {
  it('pages back through candles: those before an open time, ascending', async () => {
    await using test = await testServer();
    await test.store.write([0, 1, 2, 3].map((index) => aCandle(minute(index))));
    const url = `/api/v1/candles?symbol=BTCUSDT&interval=1m&before=${minute(3)}&limit=2`;
    const page = (await test.server.app.inject(url)).json();
    assert.deepEqual(
      page.candles.map((row: unknown[]) => row[0]),
      [minute(1), minute(2)],
    );
    assert.equal(page.more, true);
    assert.deepEqual(page.source, {
      kind: 'simulated',
      id: 'simulated:7',
      label: 'Simulated market, seed 7',
    });
    const rest = await test.server.app.inject(url.replace(String(minute(3)), String(minute(1))));
    assert.equal(rest.json().candles.length, 1);
    assert.equal(rest.json().more, false);
  });

  it('pages on: the next candles after an open time, across any gap, the open one last', async () => {
    await using test = await testServer();
    await test.store.write([0, 1, 5, 6].map((index) => aCandle(minute(index))));
    test.market.applyClosed(aCandle(minute(6), { revision: 1 }));
    test.market.applyLive(aLiveCandle(minute(7)));
    const after = async (openTime: number, limit: number) => {
      const query = `symbol=BTCUSDT&interval=1m&after=${openTime}&limit=${limit}`;
      const response = await test.server.app.inject(`/api/v1/candles?${query}`);
      assert.equal(response.statusCode, 200, response.body);
      return response.json().candles.map((row: unknown[]) => [row[0], row[12]]);
    };
    assert.deepEqual(await after(minute(0), 2), [
      [minute(1), 0],
      [minute(5), 0],
    ]);
    assert.deepEqual(await after(minute(1) - 1, 1), [[minute(1), 0]], 'not itself, the next');
    assert.deepEqual(await after(minute(5), 10), [
      [minute(6), 1],
      [minute(7), 0],
    ]);
    assert.deepEqual(await after(minute(7), 10), []);
  });

  it('names the parameter that is wrong', async () => {
    await using test = await testServer();
    for (const [query, status, message] of [
      ['symbol=btcusdt&interval=1m', 400, /"symbol": expected a symbol such as BTCUSDT/],
      ['symbol=BTCUSDT&interval=7q', 400, /"interval"/],
      ['symbol=BTCUSDT&interval=1m&limit=2001', 400, /"limit"/],
      ['symbol=BTCUSDT&interval=1m&before=-1', 400, /"before": expected a whole number/],
      [
        'symbol=BTCUSDT&interval=1m&before=999999999999999',
        400,
        /"before": expected milliseconds since 1970 up to 253402300799999, .* was 999999999999999$/,
      ],
      [
        'symbol=BTCUSDT&interval=1m&before=5&after=4',
        400,
        /"after": expected one of before and after/,
      ],
      ['symbol=BTCUSDT&interval=1m&after=x', 400, /"after": expected a whole number/],
      ['symbol=DOGEUSDT&interval=1m', 404, /No candles of "DOGEUSDT"/],
    ] as const) {
      const response = await test.server.app.inject(`/api/v1/candles?${query}`);
      assert.equal(response.statusCode, status, query);
      assert.match(response.json().error.message, message);
    }
  });

  it('takes the last millisecond there is as the end of a page', async () => {
    await using test = await testServer();
    await test.store.write([aCandle(minute(0))]);
    const response = await test.server.app.inject(
      '/api/v1/candles?symbol=BTCUSDT&interval=1m&before=253402300799999',
    );
    assert.equal(response.json().candles.length, 1);
  });

  it('answers a path that cannot be decoded in the shape of its API, with its source', async () => {
    await using test = await testServer();
    for (const [path, body] of [
      [
        '/api/v1/%E0%A4%A',
        {
          error: {
            code: 'bad-path',
            message: 'Expected a percent-encoded UTF-8 path, was /api/v1/%E0%A4%A',
          },
        },
      ],
      [
        '/api/v3/%E0%A4%A?symbol=BTCUSDT',
        { code: -1020, msg: 'This operation is not supported: GET /api/v3/%E0%A4%A' },
      ],
    ] as const) {
      const response = await test.server.app.inject(path);
      assert.deepEqual(response.json(), body);
      assert.equal(response.headers['x-wickstream-source'], 'simulated:7', path);
      assert.match(String(response.headers['content-type']), /^application\/json/);
    }
  });

  it('lists verdicts, both candles where they differ, and a day’s standing', async () => {
    await using test = await testServer();
    await test.store.write([0, 1, 2].map((index) => aCandle(minute(index))));
    await test.store.writeAudits([anAudit(minute(0)), anAudit(minute(1))]);
    test.market.applyAudit(
      anAudit(minute(2), {
        verdict: 'differs',
        reason: 'Asked twice',
        ours: aCandle(minute(2)),
        theirs: aCandle(minute(2), { trades: 4 }),
      }),
    );
    const get = async (path: string) => (await test.server.app.inject(path)).json();
    const page = await get('/api/v1/audits?symbol=BTCUSDT&limit=2');
    assert.deepEqual(
      page.audits.map((one: { verdict: string }) => one.verdict),
      ['verified', 'differs'],
    );
    assert.equal(page.more, true);
    assert.equal(page.audits[1].ours.trades, 3);
    assert.equal(page.audits[1].theirs.trades, 4);
    assert.equal(page.source.id, 'simulated:7');
    const one = await get(`/api/v1/audits?symbol=BTCUSDT&from=${minute(1)}&to=${minute(1)}`);
    assert.equal(one.audits.length, 1);
    const { audit, exceptions } = await get('/api/v1/audits/summary?symbol=BTCUSDT');
    assert.equal(audit.closed, 3);
    assert.equal(audit.verified, 2);
    assert.equal(audit.differs, 1);
    assert.deepEqual(exceptions, [
      { openTime: minute(2), verdict: 'differs', reason: 'Asked twice' },
    ]);
    const past = await get(`/api/v1/audits/summary?symbol=BTCUSDT&day=${minute(-1)}`);
    assert.deepEqual(past.audit, null);
    assert.match((await get('/api/v1/audits?symbol=DOGEUSDT')).error.message, /No audits of/);
    assert.match((await get('/api/v1/audits?symbol=BTCUSDT&limit=0')).error.message, /"limit"/);
    const { body } = await test.server.app.inject('/metrics');
    assert.match(body, /^wickstream_audits_seen_total\{verdict="differs"\} 1$/m);
  });

  it('marks the minutes of a page with their verdicts', async () => {
    await using test = await testServer();
    await test.store.write([aCandle(minute(0)), aCandle(minute(1), { revision: 1 })]);
    await test.store.writeAudits([anAudit(minute(0)), anAudit(minute(1))]);
    const page = await test.server.app.inject('/api/v1/candles?symbol=BTCUSDT&interval=1m');
    assert.deepEqual(
      page.json().candles.map((row: number[]) => row[13]),
      [3 | 8, 3],
    );
  });

  it('lists symbols and intervals', async () => {
    await using test = await testServer();
    const { symbols, intervals } = (await test.server.app.inject('/api/v1/symbols')).json();
    assert.deepEqual(symbols, ['BTCUSDT', 'ETHUSDT']);
    assert.equal(intervals.length, 16);
  });

  it('tells the pipeline’s health with the stages’ own numbers', async () => {
    await using test = await testServer({ stages: () => ({ persist: { queued: 3 } }) });
    await test.clock.advance(2_000);
    const health = (await test.server.app.inject('/api/v1/health')).json();
    assert.equal(health.feed.state, 'live');
    assert.equal(health.version, '1.2.3');
    assert.equal(health.uptimeMs, 2_000);
    assert.deepEqual(health.stages, { persist: { queued: 3 } });
    assert.ok(health.memory.rssBytes > 0);
  });

  it('labels every answer with its source, errors and files included (I10)', async () => {
    await using test = await testServer();
    for (const url of ['/', '/healthz', '/metrics', '/nothing', '/api/v1/candles']) {
      const response = await test.server.app.inject(url);
      assert.equal(response.headers['x-wickstream-source'], 'simulated:7', url);
    }
  });
});

describe('probes', () => {
  it('is up before it is ready, and ready with the first candle', async () => {
    await using test = await testServer();
    assert.equal((await test.server.app.inject('/healthz')).statusCode, 200);
    const before = await test.server.app.inject('/readyz');
    assert.equal(before.statusCode, 503);
    assert.match(
      before.json().error.message,
      /No candle yet of BTCUSDT, ETHUSDT; the feed is live/,
    );
    test.market.applyLive(aLiveCandle(minute(0)));
    assert.equal((await test.server.app.inject('/readyz')).statusCode, 200);
  });

  it('is ready with history alone, and not when the store fails', async () => {
    await using test = await testServer();
    await test.store.write([aCandle(minute(0))]);
    assert.equal((await test.server.app.inject('/readyz')).statusCode, 200);
    test.store.beforeRead = () => Promise.reject(new Error('disk gone'));
    const response = await test.server.app.inject('/readyz');
    assert.equal(response.statusCode, 503);
    assert.match(response.json().error.message, /disk gone/);
  });

  it('counts trades, closed candles and corrections for Prometheus', async () => {
    await using test = await testServer({ stages: () => ({ persist: { queued: 3 } }) });
    test.market.applyTrade(aTrade(1));
    test.market.applyTrade(aTrade(2));
    test.market.applyClosed(aCandle(minute(0)));
    test.market.applyClosed(aCandle(minute(0), { revision: 1 }));
    const { body } = await test.server.app.inject('/metrics');
    for (const line of [
      'wickstream_trades_total 2',
      'wickstream_candles_closed_total{interval="1m"} 1',
      'wickstream_candle_corrections_total{interval="1m"} 1',
      'wickstream_feed_state{state="live"} 1',
      'wickstream_stage{stage="persist",number="queued"} 3',
      'wickstream_websocket_clients{protocol="dashboard"} 0',
      'wickstream_store_bytes 12345678',
      'wickstream_source_info{source="simulated:7",kind="simulated",version="1.2.3"} 1',
    ]) {
      assert.ok(body.includes(`\n${line}\n`), `${line} in\n${body}`);
    }
    assert.match(body, /process_cpu_user_seconds_total/);
  });
});

describe('the dashboard’s files', () => {
  it('says how to build the dashboard where it is missing', async () => {
    await using test = await testServer();
    const response = await test.server.app.inject('/');
    assert.equal(response.statusCode, 503);
    assert.match(response.body, /npm run build/);
  });

  it('serves the page fresh and hashed assets for good, and 404 for what is not there', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'wickstream-'));
    try {
      await mkdir(join(directory, 'assets'));
      await writeFile(join(directory, 'index.html'), '<title>Wickstream</title>');
      await writeFile(join(directory, 'assets', 'app-abc123.js'), 'export {};');
      await using test = await testServer({ dashboardDir: directory });
      const page = await test.server.app.inject('/?symbol=BTCUSDT');
      assert.equal(page.body, '<title>Wickstream</title>');
      assert.equal(page.headers['cache-control'], 'no-cache');
      assert.match(String(page.headers['content-security-policy']), /default-src 'self'/);
      assert.doesNotMatch(String(page.headers['content-security-policy']), /upgrade-insecure/);
      const asset = await test.server.app.inject('/assets/app-abc123.js');
      assert.equal(asset.headers['cache-control'], 'public, max-age=31536000, immutable');
      const missing = await test.server.app.inject('/deep/link');
      assert.equal(missing.statusCode, 404);
      assert.equal(missing.json().error.code, 'not-found');
      assert.equal((await test.server.app.inject('/../http.test.ts')).statusCode, 404);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('status', () => {
  it('says why the store takes nothing, while it does not', async () => {
    let storeFault: string | undefined = 'disk full';
    await using test = await testServer({ storeFault: () => storeFault });
    const feed = async () => (await test.server.app.inject('/api/v1/health')).json().feed;
    assert.equal((await feed()).storeFault, 'disk full');
    storeFault = undefined;
    assert.equal('storeFault' in (await feed()), false);
  });

  it('says what the store takes on disk, the last figure while it does not answer', async () => {
    await using test = await testServer();
    const bytes = async () =>
      (await test.server.app.inject('/api/v1/health')).json().feed.storeBytes;
    assert.equal(await bytes(), 12_345_678);
    test.store.bytes = async () => 5;
    await test.clock.advance(STORE_SIZE_INTERVAL_MS);
    assert.equal(await bytes(), 5);
    test.store.bytes = () => Promise.reject(new Error('disk gone'));
    await test.clock.advance(STORE_SIZE_INTERVAL_MS);
    assert.equal(await bytes(), 5);
  });

  it('trusts no single old status: it may be yesterday’s last word', async () => {
    await using test = await testServer();
    test.market.applyStatus(liveStatus(minute(-60)));
    const health = (await test.server.app.inject('/api/v1/health')).json();
    assert.equal(health.feed.state, 'no-feed');
    test.market.applyStatus(liveStatus(minute(-59)));
    const again = (await test.server.app.inject('/api/v1/health')).json();
    assert.equal(again.feed.state, 'live', 'two in a row: only the other clock is off');
  });

  it('follows the exchange’s clock', async () => {
    await using test = await testServer();
    test.market.applyStatus(liveStatus(test.clock.now(), { clockOffsetMs: -1_500.4 }));
    const { feed } = (await test.server.app.inject('/api/v1/health')).json();
    assert.equal(feed.exchangeTime - feed.serverTime, -1_500);
  });
});

describe('a WebSocket’s answer', () => {
  it('names the source (I10)', async () => {
    await using test = await testServer();
    const socket = new WebSocket(`${(await test.server.listen()).replace('http', 'ws')}/ws`);
    const response = await new Promise<IncomingMessage>((resolve) =>
      socket.once('upgrade', resolve),
    );
    assert.equal(response.headers['x-wickstream-source'], 'simulated:7');
  });
});

describe('a WebSocket to a path that has none', () => {
  it('is refused', async () => {
    await using test = await testServer();
    const url = await test.server.listen();
    await assert.rejects(openSocket(`${url}/nowhere`), /404/);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decimal } from '../../core/market/decimal.ts';
import {
  aCandle,
  aLiveCandle,
  anAudit,
  BTCUSDT,
  liveStatus,
  minute,
  NEW_YEAR,
} from '../../stages/serve/testing/market-fixtures.ts';
import { openSocket, type TestSocket, testServer } from '../testing/test-server.ts';
import { AUDIT_NEWS_INTERVAL_MS } from './audit-news.ts';
import { LIVE_REQUESTS_MAX } from './live.ts';
import { STUCK_READER_MS_MAX, UPDATE_INTERVAL_MS } from './live-connection.ts';

const WATCH = { type: 'watch', symbol: 'BTCUSDT', interval: '1m', limit: 100 };

function send(socket: TestSocket, message: unknown): void {
  socket.socket.send(JSON.stringify(message));
}

function openTimes(message: Record<string, unknown>): unknown[] {
  const { candles } = message;
  assert.ok(Array.isArray(candles));
  return candles.map((row) => row[0]);
}

function flags(message: Record<string, unknown>): unknown[] {
  const { candles } = message;
  assert.ok(Array.isArray(candles));
  return candles.map((row) => [row[0], row[13]]);
}

describe('/api/v1/live', () => {
  it('says hello with symbols, intervals, version, status and source', async () => {
    await using test = await testServer();
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    const hello = await socket.next('hello');
    assert.equal(hello['version'], '1.2.3');
    assert.deepEqual(hello['symbols'], ['BTCUSDT', 'ETHUSDT']);
    assert.ok(Array.isArray(hello['intervals']));
    assert.equal(hello['intervals'].length, 16);
    assert.deepEqual(hello['status'], {
      state: 'live',
      since: test.clock.now(),
      source: { kind: 'simulated', id: 'simulated:7', label: 'Simulated market, seed 7' },
      symbols: {},
      exchangeTime: test.clock.now(),
      serverTime: test.clock.now(),
      storeBytes: 12_345_678,
    });
  });

  it('answers a watch with stored, newest closed and open candles, each once, the higher revision winning', async () => {
    await using test = await testServer();
    await test.store.write([0, 1, 2].map((index) => aCandle(minute(index))));
    test.market.applyClosed(aCandle(minute(2), { revision: 1, trades: 9 }));
    test.market.applyClosed(aCandle(minute(3)));
    test.market.applyLive(aLiveCandle(minute(4)));
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    send(socket, WATCH);
    const snapshot = await socket.next('snapshot');
    assert.deepEqual(openTimes(snapshot), [0, 1, 2, 3, 4].map(minute));
    assert.equal(snapshot['more'], false);
    const rows = snapshot['candles'];
    assert.ok(Array.isArray(rows));
    assert.deepEqual(rows[2].slice(7, 8).concat(rows[2].slice(12)), [9, 1, 3]);
    assert.equal(rows[4][13], 2, 'the open candle lacks the closed flag');
    assert.deepEqual(rows[3].slice(0, 7), [
      minute(3),
      '90000.10000000',
      '90001.00000000',
      '89999.99000000',
      '90000.50000000',
      '1.50000000',
      '135000.75000000',
    ]);
  });

  it('sends the newest candles of a longer history and says that there are more', async () => {
    await using test = await testServer();
    await test.store.write([0, 1, 2, 3].map((index) => aCandle(minute(index))));
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    send(socket, { ...WATCH, limit: 3 });
    const snapshot = await socket.next('snapshot');
    assert.deepEqual(openTimes(snapshot), [1, 2, 3].map(minute));
    assert.equal(snapshot['more'], true);
  });

  it('sends a change at once, and the next one only a frame later, in its newest state', async () => {
    await using test = await testServer();
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    send(socket, WATCH);
    await socket.next('snapshot');
    test.market.applyLive(aLiveCandle(minute(0), { trades: 1, eventTime: minute(0) }));
    const first = await socket.next('update');
    assert.deepEqual(openTimes(first), [minute(0)]);
    assert.equal(first['eventTime'], minute(0));
    assert.equal(first['sentAt'], test.clock.now());
    test.market.applyLive(aLiveCandle(minute(0), { trades: 2, lastAggTradeId: 51 }));
    test.market.applyLive(aLiveCandle(minute(0), { trades: 3, lastAggTradeId: 52 }));
    test.market.applyClosed(aCandle(minute(0), { trades: 4 }));
    test.market.applyLive(aLiveCandle(minute(1), { lastAggTradeId: 53 }));
    await test.clock.advance(UPDATE_INTERVAL_MS);
    const second = await socket.next();
    assert.equal(second['type'], 'update');
    assert.deepEqual(openTimes(second), [minute(0), minute(1)]);
    const rows = second['candles'];
    assert.ok(Array.isArray(rows));
    assert.equal(rows[0][7], 4);
    assert.equal(rows[0][13], 3);
  });

  it('sends changes that came while the snapshot was read in the snapshot, and not again', async () => {
    await using test = await testServer();
    await test.store.write([aCandle(minute(0))]);
    const held = Promise.withResolvers<void>();
    test.store.beforeRead = () => held.promise;
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    await socket.next('hello');
    send(socket, WATCH);
    send(socket, { type: 'ping', sentAt: 1 });
    await socket.next('pong');
    test.market.applyClosed(aCandle(minute(0), { revision: 1, close: decimal('1') }));
    test.market.applyLive(aLiveCandle(minute(1)));
    held.resolve();
    const snapshot = await socket.next('snapshot');
    assert.deepEqual(openTimes(snapshot), [minute(0), minute(1)]);
    const rows = snapshot['candles'];
    assert.ok(Array.isArray(rows));
    assert.equal(rows[0][4], '1.00000000');
    await test.clock.advance(UPDATE_INTERVAL_MS);
    assert.equal((await socket.next())['type'], 'audit');
    send(socket, { type: 'ping', sentAt: 2 });
    assert.equal((await socket.next())['type'], 'pong', 'no update between');
  });

  it('sends a candle again with the verdict on it, also one that only the store still has', async () => {
    await using test = await testServer();
    await test.store.write([aCandle(minute(0))]);
    test.market.applyClosed(aCandle(minute(1)));
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    send(socket, WATCH);
    await socket.next('snapshot');
    test.market.applyAudit(anAudit(minute(1)));
    assert.deepEqual(flags(await socket.next('update')), [[minute(1), 3 | 8]]);
    await test.clock.advance(UPDATE_INTERVAL_MS);
    test.market.applyAudit(anAudit(minute(0), { verdict: 'differs' }));
    await test.clock.advance(UPDATE_INTERVAL_MS);
    assert.deepEqual(flags(await socket.next('update')), [[minute(0), 3 | 32]]);
    send(socket, WATCH);
    assert.deepEqual(flags(await socket.next('snapshot')), [
      [minute(0), 3 | 32],
      [minute(1), 3 | 8],
    ]);
  });

  it('shows no verdict on another revision than the candle’s', async () => {
    await using test = await testServer();
    test.market.applyClosed(aCandle(minute(0)));
    test.market.applyAudit(anAudit(minute(0), { verdict: 'repaired', revision: 1 }));
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    send(socket, WATCH);
    assert.deepEqual(flags(await socket.next('snapshot')), [[minute(0), 3]]);
    test.market.applyClosed(aCandle(minute(0), { revision: 1 }));
    assert.deepEqual(flags(await socket.next('update')), [[minute(0), 3 | 16]]);
  });

  it('says how the audit of the day stands: with the snapshot, then at most once a second', async () => {
    await using test = await testServer();
    await test.store.write([
      aCandle(minute(-1)),
      aCandle(minute(0), { source: 'klines' }),
      aCandle(minute(1)),
    ]);
    await test.store.writeAudits([anAudit(minute(1))]);
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    send(socket, WATCH);
    await socket.next('snapshot');
    const none = { verified: 0, repaired: 0, differs: 0, unverified: 0 };
    const day = { day: NEW_YEAR, since: minute(1), fromKlines: 1 };
    assert.deepEqual(await socket.next(), {
      type: 'audit',
      symbol: 'BTCUSDT',
      audit: { ...none, ...day, closed: 1, verified: 1 },
    });
    test.market.applyClosed(aCandle(minute(2)));
    test.market.applyClosed(aCandle(minute(3)));
    test.market.applyAudit(anAudit(minute(2), { verdict: 'unverified' }));
    test.market.applyAudit(anAudit(minute(3)));
    await test.clock.advance(AUDIT_NEWS_INTERVAL_MS);
    const told = await socket.next('audit');
    assert.deepEqual(told['audit'], { ...none, ...day, closed: 3, verified: 2, unverified: 1 });
    test.market.applyClosed(aCandle(minute(1_440)));
    await test.clock.advance(AUDIT_NEWS_INTERVAL_MS);
    assert.deepEqual((await socket.next('audit'))['audit'], {
      ...none,
      day: minute(1_440),
      since: minute(1_440),
      closed: 1,
      fromKlines: 0,
    });
  });

  it('sends nothing more of a view that was replaced', async () => {
    await using test = await testServer();
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    send(socket, WATCH);
    await socket.next('snapshot');
    send(socket, { ...WATCH, interval: '5m' });
    assert.equal((await socket.next('snapshot'))['interval'], '5m');
    test.market.applyLive(aLiveCandle(minute(0)));
    test.market.applyLive(aLiveCandle(minute(0), { interval: '5m' }));
    assert.equal((await socket.next('update'))['interval'], '5m');
  });

  it('sends the status at each change, and every second', async () => {
    await using test = await testServer();
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    await socket.next('hello');
    test.market.applyStatus(liveStatus(test.clock.now(), { state: 'stale', reason: 'Silent' }));
    const changed = await socket.next('status');
    assert.deepEqual(Object.entries(changed['status'] ?? {}).slice(0, 1), [['state', 'stale']]);
    await test.clock.advance(1_000);
    await socket.next('status');
  });

  it('says no-feed when there was no status for 3 s', async () => {
    await using test = await testServer();
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    await test.clock.advance(3_000);
    for (let second = 1; second <= 3; second += 1) {
      const { status } = await socket.next('status');
      assert.match(JSON.stringify(status), /"state":"live"/);
    }
    await test.clock.advance(1_000);
    const { status } = await socket.next('status');
    assert.match(JSON.stringify(status), /"state":"no-feed".*"reason":"The server has no news/);
  });

  it('answers a ping with what was sent and its own clock', async () => {
    await using test = await testServer();
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    send(socket, { type: 'ping', sentAt: 12.5 });
    assert.deepEqual(await socket.next('pong'), {
      type: 'pong',
      sentAt: 12.5,
      serverTime: test.clock.now(),
    });
  });

  it('quotes the fault of a bad request and goes on', async () => {
    await using test = await testServer();
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    for (const [request, fault] of [
      ['{', /Expected JSON, was \{/],
      ['{"type":"watch"}', /symbol/],
      [JSON.stringify({ ...WATCH, symbol: 'DOGEUSDT' }), /BTCUSDT.*"DOGEUSDT": add it with/],
      [JSON.stringify({ ...WATCH, limit: 2_001 }), /limit/],
      ['x'.repeat(2_000), /at most 1024 characters, was 2000/],
    ] as const) {
      socket.socket.send(request);
      assert.match(String((await socket.next('error'))['message']), fault);
    }
  });

  it('closes a client that asks too much', async () => {
    await using test = await testServer();
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    for (let count = 0; count <= LIVE_REQUESTS_MAX; count += 1) {
      send(socket, { type: 'ping', sentAt: count });
    }
    assert.equal((await socket.closed).code, 1008);
  });

  it('shows the newest candles when the store cannot be read, and says so', async () => {
    await using test = await testServer();
    test.market.applyClosed(aCandle(minute(0)));
    test.market.applyLive(aLiveCandle(minute(1)));
    test.store.beforeRead = () => Promise.reject(new Error('disk gone'));
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    send(socket, WATCH);
    const { candles, more } = await socket.next('snapshot');
    assert.deepEqual(
      (candles as number[][]).map(([openTime]) => openTime),
      [minute(0), minute(1)],
    );
    assert.equal(more, true, 'older ones can be asked for');
    assert.match(String((await socket.next('error'))['message']), /could not be read/);
  });

  it('gives a slow reader the newest state, not a backlog, and cuts off one that is stuck (I11)', async () => {
    await using test = await testServer();
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    send(socket, { ...WATCH, limit: 2_000 });
    await socket.next('snapshot');
    socket.socket.pause();
    // 500 candles change in each of 200 frames: 20 MB, more than the network's buffers take.
    let revision = 1;
    for (let frame = 0; frame < 200; frame += 1) {
      for (let index = 0; index < 500; index += 1) {
        test.market.applyClosed(aCandle(minute(index), { revision }));
      }
      revision += 1;
      await test.clock.advance(UPDATE_INTERVAL_MS);
    }
    const server = test.sockets()[0];
    assert.ok(server !== undefined);
    const { bufferedAmount } = server;
    assert.ok(bufferedAmount > 0 && bufferedAmount < 1_000_000, `${bufferedAmount} bytes wait`);
    socket.socket.resume();
    // Only what the network had taken comes, then the newest state at once.
    let update = await socket.next('update');
    let updates = 1;
    while (JSON.stringify(update).includes(`,${revision - 1},3]`) === false) {
      await test.clock.advance(50);
      update = await socket.next('update');
      updates += 1;
    }
    assert.ok(updates < 200, `${updates} updates for 200 changes`);
    assert.equal(openTimes(update).length, 500);

    socket.socket.pause();
    for (let frame = 0; frame < 300 && server.readyState === 1; frame += 1) {
      for (let index = 0; index < 500; index += 1) {
        test.market.applyClosed(aCandle(minute(index), { revision }));
      }
      revision += 1;
      await test.clock.advance(UPDATE_INTERVAL_MS);
    }
    await test.clock.advance(STUCK_READER_MS_MAX + 1_000);
    assert.notEqual(server.readyState, 1);
    socket.socket.resume();
    assert.equal((await socket.closed).code, 1008);
  });

  it('forgets a client that has gone', async () => {
    await using test = await testServer();
    const socket = await openSocket(`${await test.server.listen()}/api/v1/live`);
    send(socket, WATCH);
    await socket.next('snapshot');
    socket.socket.terminate();
    const [server] = test.sockets();
    await new Promise((resolve) => server?.once('close', resolve));
    test.market.applyLive(aLiveCandle(minute(0), { symbol: BTCUSDT }));
    const health = await test.server.app.inject('/api/v1/health');
    assert.deepEqual(health.json().connections, { dashboard: 0, binance: 0 });
  });
});

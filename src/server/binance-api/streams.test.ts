import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { decimal } from '../../core/market/decimal.ts';
import { isInterval } from '../../core/market/interval.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import { epochMs } from '../../core/market/time.ts';
import {
  aCandle,
  aLiveCandle,
  aTrade,
  ETHUSDT,
  liveStatus,
  minute,
} from '../../stages/serve/testing/market-fixtures.ts';
import { sharedData } from '../testing/shared-data.ts';
import {
  openSocket,
  type TestServer,
  type TestSocket,
  testServer,
} from '../testing/test-server.ts';
import { aggTradeEvent, klineEvent } from './binance-text.ts';
import { CLOSED_FRAME_DELAY_MS_MAX } from './kline-stream.ts';
import { STREAM_PING_INTERVAL_MS, STREAM_PONG_MS_MAX } from './streams.ts';
import { REPAIR_WAIT_MS_MAX } from './unfinished-candles.ts';

async function open(test: TestServer, path: string): Promise<TestSocket> {
  const address = test.server.app.server.address();
  const url =
    address === null || typeof address === 'string'
      ? await test.server.listen()
      : `http://127.0.0.1:${address.port}`;
  return openSocket(`${url}${path}`);
}

/** All that came before the answer to a request sent now. */
async function settled(socket: TestSocket): Promise<readonly Record<string, unknown>[]> {
  socket.socket.send('{"method":"LIST_SUBSCRIPTIONS","id":"end"}');
  const messages: Record<string, unknown>[] = [];
  for (;;) {
    const message = await socket.next();
    if (message['id'] === 'end') return messages;
    messages.push(message);
  }
}

function kline(message: Record<string, unknown>): Record<string, unknown> {
  const { k } = message;
  assert.ok(typeof k === 'object' && k !== null);
  return { ...k };
}

describe('the events’ text', () => {
  const real = sharedData('ws/BINANCE.ws.1.0', process.env);
  it('equals the exchange’s frames, byte for byte', { skip: real.skip }, async () => {
    const counts = { kline: 0, aggTrade: 0 };
    for (const line of (await readFile(real.path, 'utf8')).split('\n')) {
      const text = /"data":(\{"e":"(?:kline|aggTrade)".*\})\}$/.exec(line)?.[1];
      if (text === undefined) continue;
      const { e, E, s, k, ...t } = JSON.parse(text);
      const symbol = marketSymbol(s);
      if (e === 'kline') {
        assert.ok(isInterval(k.i));
        const candle = aCandle(k.t, {
          symbol,
          interval: k.i,
          firstTradeId: k.f,
          lastTradeId: k.L,
          open: decimal(k.o),
          close: decimal(k.c),
          high: decimal(k.h),
          low: decimal(k.l),
          volume: decimal(k.v),
          trades: k.n,
          quoteVolume: decimal(k.q),
          takerBuyVolume: decimal(k.V),
          takerBuyQuoteVolume: decimal(k.Q),
        });
        assert.equal(klineEvent(candle, epochMs(E), k.x), text);
        counts.kline += 1;
      } else {
        const [price, quantity] = [decimal(t.p), decimal(t.q)];
        const one = 100_000_000n;
        const trade = aTrade(t.a, {
          symbol,
          priceInteger: Number(price / one),
          priceFraction: Number(price % one),
          quantityInteger: Number(quantity / one),
          quantityFraction: Number(quantity % one),
          firstTradeId: t.f,
          lastTradeId: t.l,
          tradeTime: t.T,
          eventTime: epochMs(E),
          buyerIsMaker: t.m,
        });
        assert.equal(aggTradeEvent(trade), text);
        counts.aggTrade += 1;
      }
    }
    assert.ok(counts.kline > 0 && counts.aggTrade > 0, JSON.stringify(counts));
  });
});

describe('/ws and /stream', () => {
  it('sends each trade raw at /ws, wrapped at /stream', async () => {
    await using test = await testServer();
    const raw = await open(test, '/ws/btcusdt@aggTrade/ethusdt@aggTrade');
    const combined = await open(test, '/stream?streams=btcusdt%40aggTrade/ethusdt@kline_1m');
    test.market.applyTrade(aTrade(1));
    test.market.applyTrade(aTrade(2, { symbol: ETHUSDT }));
    const text = aggTradeEvent(aTrade(1));
    assert.equal(await raw.nextText(), text);
    assert.equal((await raw.next())['s'], 'ETHUSDT');
    assert.equal(await combined.nextText(), `{"stream":"btcusdt@aggTrade","data":${text}}`);
  });

  it('sends open candles at the exchange’s pace, in their newest state', async () => {
    await using test = await testServer();
    const socket = await open(test, '/ws/btcusdt@kline_1m');
    for (let trades = 1; trades <= 3; trades += 1) {
      test.market.applyLive(aLiveCandle(minute(0), { trades, lastAggTradeId: trades }));
    }
    assert.deepEqual(
      (await settled(socket)).map(kline).map(({ n, x }) => [n, x]),
      [[1, false]],
    );
    await test.clock.advance(1_999);
    assert.deepEqual(await settled(socket), []);
    await test.clock.advance(1);
    assert.deepEqual(
      (await settled(socket)).map(kline).map(({ n, x }) => [n, x]),
      [[3, false]],
    );
  });

  it('closes each candle exactly once: never for a correction, never again open after (I5)', async () => {
    await using test = await testServer();
    test.market.applyClosed(aCandle(minute(0)));
    const socket = await open(test, '/ws/btcusdt@kline_1m');
    test.market.applyClosed(aCandle(minute(0), { revision: 1 }));
    test.market.applyLive(aLiveCandle(minute(1), { lastAggTradeId: 1 }));
    test.market.applyLive(aLiveCandle(minute(1), { lastAggTradeId: 2 }));
    test.market.applyLive(aLiveCandle(minute(1), { lastAggTradeId: 3, closed: true }));
    test.market.applyClosed(aCandle(minute(1), { trades: 0, firstTradeId: -1, lastTradeId: -1 }));
    test.market.applyClosed(aCandle(minute(1), { revision: 1 }));
    test.market.applyClosed(aCandle(minute(1), { revision: 2 }));
    await test.clock.advance(5_000);
    const frames = (await settled(socket)).map(kline);
    assert.deepEqual(
      frames.map(({ t, x }) => [t, x]),
      [
        [minute(1), false],
        [minute(1), true],
      ],
    );
    assert.deepEqual(
      [frames[1]?.['n'], frames[1]?.['f'], frames[1]?.['L'], frames[1]?.['T']],
      [0, -1, -1, minute(2) - 1],
    );
  });

  it('holds back the closed state of a candle that lacks trades until it is repaired, or cannot be (I1, I5)', async () => {
    await using test = await testServer();
    const socket = await open(test, '/ws/btcusdt@kline_1m');
    const closed = async () => (await settled(socket)).map(kline).map(({ t, n, x }) => [t, n, x]);
    test.market.applyClosed(aCandle(minute(0), { complete: false, trades: 3 }));
    test.market.applyClosed(aCandle(minute(1), { complete: false, trades: 4 }));
    test.market.applyClosed(aCandle(minute(2), { trades: 5 }));
    assert.deepEqual(await closed(), [[minute(2), 5, true]]);
    test.market.applyClosed(aCandle(minute(0), { revision: 1, complete: false, trades: 6 }));
    test.market.applyClosed(aCandle(minute(0), { revision: 2, trades: 7 }));
    test.market.applyClosed(aCandle(minute(0), { revision: 3, trades: 8 }));
    assert.deepEqual(await closed(), [[minute(0), 7, true]]);
    await test.clock.advance(REPAIR_WAIT_MS_MAX);
    assert.deepEqual(await closed(), [[minute(1), 4, true]]);
    test.market.applyClosed(aCandle(minute(1), { revision: 1, trades: 9 }));
    assert.deepEqual(await closed(), []);
  });

  it('closes a window that the process before this one had closed wrongly: a correction is its first word (I6)', async () => {
    await using test = await testServer();
    test.market.applyClosed(aCandle(minute(0)));
    const socket = await open(test, '/ws/btcusdt@kline_1m');
    test.market.applyClosed(aCandle(minute(1), { revision: 2, trades: 7 }));
    test.market.applyClosed(aCandle(minute(1), { revision: 3, trades: 8 }));
    const frames = (await settled(socket)).map(kline);
    assert.deepEqual(
      frames.map(({ t, n, x }) => [t, n, x]),
      [[minute(1), 7, true]],
    );
  });

  it('sends no window as closed that was over before the stream began, but for the newest 10 s', async () => {
    await using test = await testServer();
    const socket = await open(test, '/ws/btcusdt@kline_1m/ethusdt@kline_1s');
    // Nothing of the symbol was there; its join brings the day so far.
    for (let index = -1_400; index < 2; index += 1) {
      test.market.applyClosed(aCandle(minute(index)));
    }
    for (let second = -30; second < 0; second += 1) {
      const openTime = minute(0) + second * 1_000;
      test.market.applyClosed(aCandle(openTime, { symbol: ETHUSDT, interval: '1s' }));
    }
    const frames = (await settled(socket)).map(kline).filter(({ x }) => x === true);
    const opened = (symbol: string) => frames.filter(({ s }) => s === symbol).map(({ t }) => t);
    assert.deepEqual(opened('BTCUSDT'), [minute(-1), minute(0), minute(1)]);
    assert.equal(opened('ETHUSDT')[0], minute(0) - CLOSED_FRAME_DELAY_MS_MAX);
    assert.equal(opened('ETHUSDT').length, 10);
  });

  it('counts from when the stream began by the exchange’s clock, also where that is known only later', async () => {
    await using test = await testServer();
    const { clockOffsetMs: _, ...offline } = liveStatus(test.clock.now(), { state: 'offline' });
    test.market.applyStatus(offline);
    const socket = await open(test, '/ws/btcusdt@kline_1m');
    await test.clock.advance(60_000);
    test.market.applyStatus(offline);
    // Our clock shows five minutes too much.
    test.market.applyStatus(liveStatus(test.clock.now(), { clockOffsetMs: -300_000 }));
    for (let index = -10; index < -4; index += 1) test.market.applyClosed(aCandle(minute(index)));
    assert.deepEqual(
      (await settled(socket)).map(kline).map(({ t }) => t),
      [minute(-6), minute(-5)],
    );
  });

  it('sends what closes after the machine’s clock was set, however far', async () => {
    await using test = await testServer();
    const socket = await open(test, '/ws/btcusdt@kline_1m');
    test.market.applyStatus(liveStatus(test.clock.now(), { clockOffsetMs: 20 }));
    // Our clock shows five minutes too little from now on.
    test.market.applyStatus(liveStatus(test.clock.now(), { clockOffsetMs: 300_000 }));
    test.market.applyClosed(aCandle(minute(0)));
    test.market.applyClosed(aCandle(minute(1)));
    assert.deepEqual(
      (await settled(socket)).map(kline).map(({ t }) => t),
      [minute(0), minute(1)],
    );
  });

  it('begins no later than now where the machine’s clock was set back before the exchange’s was known', async () => {
    await using test = await testServer();
    const { clockOffsetMs: _, ...offline } = liveStatus(test.clock.now(), { state: 'offline' });
    test.market.applyStatus(offline);
    const socket = await open(test, '/ws/btcusdt@kline_1m');
    await test.clock.advance(-5 * 60_000);
    test.market.applyStatus(liveStatus(test.clock.now(), { clockOffsetMs: 0 }));
    test.market.applyClosed(aCandle(minute(-5)));
    assert.deepEqual(
      (await settled(socket)).map(kline).map(({ t }) => t),
      [minute(-5)],
    );
  });

  it('sends each candle of a recording as it closes, however long ago that was', async () => {
    await using test = await testServer();
    const source = { kind: 'recording', name: 'day.ndjson' } as const;
    test.market.applyStatus(liveStatus(test.clock.now(), { source }));
    const socket = await open(test, '/ws/btcusdt@kline_1m');
    test.market.applyClosed(aCandle(minute(-100_000)));
    assert.equal((await settled(socket)).length, 1);
  });

  it('answers control messages as the exchange does', async () => {
    await using test = await testServer();
    const socket = await open(test, '/ws');
    const ask = async (message: unknown): Promise<string> => {
      await test.clock.advance(1_000);
      socket.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
      return socket.nextText();
    };
    const params = ['btcusdt@aggTrade', 'btcusdt@kline_1s'];
    assert.equal(await ask({ method: 'SUBSCRIBE', params, id: 1 }), '{"result":null,"id":1}');
    assert.equal(
      await ask({ method: 'LIST_SUBSCRIPTIONS', id: 'abc' }),
      '{"result":["btcusdt@aggTrade","btcusdt@kline_1s"],"id":"abc"}',
    );
    assert.equal(
      await ask({ method: 'UNSUBSCRIBE', params: ['btcusdt@kline_1s', 'none'], id: null }),
      '{"result":null,"id":null}',
    );
    assert.equal(
      await ask({ method: 'GET_PROPERTY', params: ['combined'], id: 2 }),
      '{"result":false,"id":2}',
    );
    assert.equal(
      await ask({ method: 'SET_PROPERTY', params: ['combined', true], id: 3 }),
      '{"result":null,"id":3}',
    );
    test.market.applyTrade(aTrade(1));
    assert.equal((await socket.next())['stream'], 'btcusdt@aggTrade');
    for (const [message, answer] of [
      [
        { method: 'SET_PROPERTY', params: ['x', true], id: 4 },
        { code: 0, msg: 'Unknown property', id: 4 },
      ],
      [
        { method: 'SET_PROPERTY', params: ['combined', 1], id: 5 },
        { code: 1, msg: 'Invalid value type: expected Boolean', id: 5 },
      ],
      [
        { method: 'GET_PROPERTY', params: [], id: 6 },
        { code: 2, msg: 'Invalid request: property name must be a string', id: 6 },
      ],
      [
        { method: 'LIST_SUBSCRIPTIONS', params: [1], id: 7 },
        { code: 2, msg: 'Invalid request: too many parameters', id: 7 },
      ],
      [
        { method: 'LIST_SUBSCRIPTIONS' },
        { code: 2, msg: 'Invalid request: request ID must be an unsigned integer' },
      ],
      ['{', { code: 3, msg: 'Invalid JSON: expected value at line 1 column 1' }],
    ] as const) {
      assert.equal(await ask(message), JSON.stringify(answer));
    }
    assert.match(
      await ask({ method: 'JUMP', id: 1 }),
      /unknown variant `JUMP`, expected one of `SUB/,
    );
    assert.match(await ask({ id: 1 }), /missing field `method`/);
    const other = await ask({ method: 'SUBSCRIBE', params: ['btcusdt@depth'], id: 8 });
    assert.match(other, /"code":2,.*\\"btcusdt@depth\\" is not offered.*"id":8/);
  });

  it('refuses what it does not offer before the connection opens', async () => {
    await using test = await testServer();
    for (const path of [
      '/ws/btcusdt@depth',
      '/ws/BTCUSDT@aggTrade',
      '/ws/dogeusdt@aggTrade',
      '/ws/btcusdt@kline_1m@+08:00',
      '/stream?streams=btcusdt@kline_7q',
      '/stream?streams=btcusdt@aggTrade&timeUnit=MICROSECOND',
    ]) {
      await assert.rejects(open(test, path), /400/, path);
    }
  });

  it('says that it is about to stop, and stops', async () => {
    const test = await testServer();
    const raw = await open(test, '/ws/btcusdt@aggTrade');
    const combined = await open(test, '/stream');
    await test[Symbol.asyncDispose]();
    const event = { e: 'serverShutdown', E: minute(0) };
    assert.deepEqual(await raw.next(), event);
    assert.deepEqual(await combined.next(), { stream: '!serverShutdown', data: event });
    assert.equal((await raw.closed).code, 1001);
  });

  it('closes a client that sends more than 5 messages in a second', async () => {
    await using test = await testServer();
    const socket = await open(test, '/ws');
    for (let count = 0; count < 6; count += 1) socket.socket.ping();
    assert.equal((await socket.closed).code, 1008);
  });

  it('allows 1,024 streams and not one more', async () => {
    await using test = await testServer();
    const urlOf = (count: number) =>
      `/stream?streams=${Array.from({ length: count }, () => 'btcusdt@aggTrade').join('/')}`;
    await assert.rejects(open(test, urlOf(1_025)), /400/);
    const socket = await open(test, urlOf(1_024));
    assert.deepEqual(await settled(socket), []);
  });

  it('pings every 20 s, and cuts off who answers none for a minute', async () => {
    await using test = await testServer();
    const socket = await open(test, '/ws');
    const ping = new Promise((resolve) => socket.socket.once('ping', resolve));
    await test.clock.advance(STREAM_PING_INTERVAL_MS);
    assert.equal(String(await ping), String(test.clock.now()));
    await settled(socket);
    socket.socket.pause();
    const [server] = test.sockets();
    assert.ok(server !== undefined);
    const closed = new Promise((resolve) => server.once('close', resolve));
    await test.clock.advance(STREAM_PONG_MS_MAX + 2 * STREAM_PING_INTERVAL_MS);
    await closed;
    socket.socket.terminate();
  });

  it('cuts off a reader of trades that does not follow, and no one else', async () => {
    await using test = await testServer();
    const slow = await open(test, '/ws/btcusdt@aggTrade');
    const quick = await open(test, '/ws/btcusdt@kline_1m');
    slow.socket.pause();
    const [server] = test.sockets();
    assert.ok(server !== undefined);
    for (let id = 1; id < 500_000 && server.readyState === 1; id += 1) {
      test.market.applyTrade(aTrade(id));
      if (id % 10_000 === 0) await test.clock.advance(1);
    }
    assert.notEqual(server.readyState, 1);
    slow.socket.resume();
    assert.equal((await slow.closed).code, 1008);
    test.market.applyClosed(aCandle(minute(0)));
    assert.equal((await settled(quick)).length, 1);
  });
});

// Symbols that come and go by the API: what is wished, what is refused and why, and how the dashboards hear of it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Listing, SymbolWish } from '../../core/market/listing.ts';
import { marketSymbol } from '../../core/market/symbol.ts';
import { BTCUSDT, ETHUSDT } from '../../stages/serve/testing/market-fixtures.ts';
import { openSocket, type TestServer, testServer } from '../testing/test-server.ts';

const listing = (base: string): Listing => ({
  symbol: marketSymbol(`${base}USDT`),
  baseAsset: base,
  quoteAsset: 'USDT',
  status: 'TRADING',
});

const post = (test: TestServer, payload: object, headers: Record<string, string> = {}) =>
  test.server.app.inject({ method: 'POST', url: '/api/v1/symbols', payload, headers });
const remove = (test: TestServer, symbol: string) =>
  test.server.app.inject({ method: 'DELETE', url: `/api/v1/symbols/${symbol}` });

describe('/api/v1/symbols', () => {
  it('writes down what is wished, and answers 202', async () => {
    const wishes: SymbolWish[] = [];
    await using test = await testServer({ wish: async (wish) => void wishes.push(wish) });
    const added = await post(test, { symbol: 'solusdt' });
    assert.equal(added.statusCode, 202);
    assert.equal(added.json().symbol, 'SOLUSDT');
    assert.equal(added.json().source.id, 'simulated:7');
    assert.equal((await remove(test, 'ETHUSDT')).statusCode, 202);
    const at = test.clock.now();
    assert.deepEqual(wishes, [
      { symbol: 'SOLUSDT', wanted: true, at },
      { symbol: 'ETHUSDT', wanted: false, at },
    ]);
  });

  it('refuses what makes no sense, saying what would', async () => {
    await using test = await testServer();
    test.market.applyListing(listing('SOL'));
    for (const [answer, status, message] of [
      [await post(test, { name: 'X' }), 400, /Expected \{"symbol":"ETHUSDT"\}/],
      [await post(test, { symbol: 'A/B' }), 400, /was "A\/B"/],
      [await post(test, { symbol: 'NOSUCHUSDT' }), 404, /lists no "NOSUCHUSDT"/],
      [await remove(test, 'SOLUSDT'), 404, /"SOLUSDT" is not followed/],
    ] as const) {
      assert.equal(answer.statusCode, status);
      assert.match(answer.json().error.message, message);
    }
  });

  it('keeps the last symbol: a feed of nothing is none', async () => {
    await using test = await testServer();
    assert.equal((await remove(test, BTCUSDT)).statusCode, 202);
    const last = await remove(test, ETHUSDT);
    assert.equal(last.statusCode, 409);
    assert.match(last.json().error.message, /last symbol: add another/);
  });

  it('takes no wish from another site, nor without the token on another address', async () => {
    await using test = await testServer();
    const foreign = await post(test, { symbol: 'SOLUSDT' }, { origin: 'https://evil.example' });
    assert.equal(foreign.statusCode, 403);
    await using open = await testServer({ host: '0.0.0.0', accessToken: 'secret' });
    const host = { host: '10.0.0.1:8501' };
    assert.equal((await post(open, { symbol: 'SOLUSDT' }, host)).statusCode, 401);
    const authorization = 'Bearer secret';
    const allowed = await post(open, { symbol: 'SOLUSDT' }, { ...host, authorization });
    assert.equal(allowed.statusCode, 202);
  });

  it('tells the dashboards the new list, and forgets what is removed but what is stored', async () => {
    await using test = await testServer();
    const url = await test.server.listen();
    const { socket, next } = await openSocket(`${url}/api/v1/live`);
    await next('hello');
    await post(test, { symbol: 'SOLUSDT' });
    assert.deepEqual((await next('symbols'))['symbols'], ['BTCUSDT', 'ETHUSDT', 'SOLUSDT']);
    await remove(test, 'ETHUSDT');
    assert.deepEqual((await next('symbols'))['symbols'], ['BTCUSDT', 'SOLUSDT']);
    const { symbols } = (await test.server.app.inject('/api/v1/symbols')).json();
    assert.deepEqual(symbols, ['BTCUSDT', 'SOLUSDT']);
    socket.terminate();
  });
});

describe('/api/v1/listings', () => {
  it('finds what the exchange lists, and says what is followed', async () => {
    await using test = await testServer();
    const ask = async (query: string) =>
      (await test.server.app.inject(`/api/v1/listings?${query}`)).json();
    assert.deepEqual((await ask('query=e')).isKnown, false);
    for (const base of ['ETH', 'BETH', 'SOL']) test.market.applyListing(listing(base));
    const found = await ask('query=eth&limit=1');
    assert.equal(found.isKnown, true);
    assert.deepEqual(found.listings, [{ ...listing('ETH'), followed: true }]);
    assert.equal((await ask('query=eth')).listings[1].followed, false);
    assert.match((await ask('limit=0')).error.message, /"limit"/);
  });
});

// The store `timescale` on real servers: PostgreSQL from Debian's package, TimescaleDB as WebAssembly, and whatever server TIMESCALE_URL names.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import postgres from 'postgres';
import { decimal } from '../../src/core/market/decimal.ts';
import type { Source } from '../../src/core/market/source.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { epochMs } from '../../src/core/market/time.ts';
import { type CandleStore, StoreError } from '../../src/store/candle-store.ts';
import {
  openTimescaleStore,
  type TimescaleStoreOptions,
} from '../../src/store/timescale/timescale-store.ts';
import { auditStoreContract } from '../contracts/audit-store-contract.ts';
import {
  BTCUSDT,
  candleAt,
  candleStoreContract,
  DAY_START,
} from '../contracts/candle-store-contract.ts';
import { NO_TRADE, tradeAt, tradeStoreContract } from '../contracts/trade-store-contract.ts';
import { debianPostgresPrograms, startDebianPostgres } from './servers/debian-postgres.ts';
import { dropSchema, execute, freshSchema, type TestServer } from './servers/test-database.ts';
import { startTimescaleWasm } from './servers/timescale-wasm.ts';

const source: Source = { kind: 'binance', host: 'binance.com' };
const MINUTES = { symbol: BTCUSDT, interval: '1m', limit: 1_000, take: 'first' } as const;

suite(await startTimescaleWasm());
const programs = debianPostgresPrograms();
if (programs === undefined) missing('PostgreSQL', 'the Debian package postgresql is not installed');
else {
  suite(await startDebianPostgres(programs));
  describe('openTimescaleStore while the server is away', () => outageTests(programs));
}
const real = process.env['TIMESCALE_URL'];
if (real !== undefined) {
  suite({ name: 'TIMESCALE_URL', url: real, [Symbol.asyncDispose]: async () => undefined });
}

function missing(name: string, reason: string): void {
  const isSkipped = process.env['CI'] === 'true' ? false : reason;
  it(`openTimescaleStore on ${name}`, { skip: isSkipped }, () => assert.fail(reason));
}

function suite(server: TestServer): void {
  const { name, connections } = server;
  after(() => server[Symbol.asyncDispose]());
  const limit = connections === undefined ? {} : { connections };

  const makeStore = async () => {
    const url = await freshSchema(server);
    const store = await openTimescaleStore({ url, source, ...limit });
    return closingWith(store, () => dropSchema(server, url));
  };
  candleStoreContract(`openTimescaleStore on ${name}`, makeStore);
  auditStoreContract(`openTimescaleStore on ${name}`, makeStore);
  tradeStoreContract(`openTimescaleStore on ${name}`, makeStore);
  describe(`openTimescaleStore on ${name}: the database`, () => databaseTests(server));
  if (connections !== 1)
    describe(`openTimescaleStore on ${name}: several at once`, () => crowdTests(server));
}

function databaseTests(server: TestServer): void {
  const limit = server.connections === undefined ? {} : { connections: server.connections };
  const open = (url: string, changes: Partial<TimescaleStoreOptions> = {}) =>
    openTimescaleStore({ url, source, ...limit, ...changes });
  const test = (fact: string, run: (url: string) => Promise<void>) =>
    it(fact, async () => {
      const url = await freshSchema(server);
      try {
        await run(url);
      } finally {
        await dropSchema(server, url);
      }
    });
  const fails = (opening: Promise<CandleStore>, code: StoreError['code']) =>
    assert.rejects(
      async () => {
        await using _ = await opening;
      },
      (error) => {
        assert.ok(error instanceof StoreError, String(error));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, /database "/);
        return true;
      },
    );
  const withCandles = async (url: string): Promise<void> => {
    await using store = await open(url);
    await store.write([candleAt(0), candleAt(1)]);
  };

  test('keeps candles over a reopening, and migrates twice without harm', async (url) => {
    await withCandles(url);
    await using store = await open(url);
    assert.deepEqual(await store.read(MINUTES), [candleAt(0), candleAt(1)]);
  });

  test('refuses candles of another source (I10)', async (url) => {
    await withCandles(url);
    await fails(open(url, { source: { kind: 'simulated', seed: 7 } }), 'foreign-source');
    await fails(
      open(url, { source: { kind: 'simulated', seed: 7 }, readOnly: true }),
      'foreign-source',
    );
    await using store = await open(url);
    assert.deepEqual(await store.symbols(), [BTCUSDT]);
  });

  test('leaves a newer version alone', async (url) => {
    await withCandles(url);
    await execute(url, `UPDATE wickstream SET value = '99' WHERE key = 'version'`);
    await fails(open(url), 'newer-version');
    await fails(open(url, { readOnly: true }), 'newer-version');
  });

  test('leaves the tables of another program alone', async (url) => {
    await execute(url, 'CREATE TABLE symbols (note text)');
    await fails(open(url), 'foreign-source');
    const [found] = await execute(url, `SELECT to_regclass('wickstream') IS NULL AS untouched`);
    assert.equal(found?.['untouched'], true);
  });

  test('says where the tables are damaged', async (url) => {
    await using store = await open(url);
    await store.write([candleAt(0)]);
    await execute(url, 'ALTER TABLE scaled_candles RENAME TO gone');
    await assert.rejects(store.read(MINUTES), { code: 'damaged' });
    await assert.rejects(store.write([candleAt(1)]), { code: 'damaged' });
    await execute(url, 'ALTER TABLE gone RENAME TO scaled_candles');
    await store.write([candleAt(1)]);
    assert.deepEqual(await store.read(MINUTES), [candleAt(0), candleAt(1)]);
  });

  test('reads beside a writer, and refuses to write where it only reads', async (url) => {
    await fails(open(url, { readOnly: true }), 'unwritable');
    await withCandles(url);
    await using reader = await open(url, { readOnly: true });
    assert.deepEqual(await reader.read(MINUTES), [candleAt(0), candleAt(1)]);
    await assert.rejects(reader.write([candleAt(2)]), { code: 'unwritable' });
    await assert.rejects(reader.prune('1m', DAY_START), { code: 'unwritable' });
  });

  test('shows people decimals as they are, exactly', async (url) => {
    {
      await using store = await open(url);
      const volume = decimal('1234567890123.456789');
      await store.write([
        candleAt(0, { open: decimal('0.00000012'), volume, takerBuyVolume: decimal('1') }),
        candleAt(0, { interval: '1s' }),
        candleAt(1, { volume: decimal('12345678901234567890.5') }),
      ]);
    }
    const rows = await execute(url, 'SELECT * FROM candles ORDER BY interval, open_time');
    assert.equal(rows.length, 3);
    assert.equal(rows[1]?.['volume'], '12345678901234567890.50000000');
    assert.equal(rows[0]?.['symbol'], 'BTCUSDT');
    assert.equal(rows[0]?.['open'], '0.00000012');
    assert.equal(rows[0]?.['volume'], '1234567890123.456789');
    assert.deepEqual(rows[0]?.['open_time'], new Date(DAY_START));
  });

  test('writes a bulk beside what is there: new rows, higher revisions, equal ones', async (url) => {
    await using store = await open(url);
    await store.write([candleAt(3), candleAt(700, { revision: 1 })]);
    const bulk = Array.from({ length: 2_000 }, (_, index) =>
      candleAt(index, index === 3 ? { revision: 1, trades: 9 } : { trades: index }),
    );
    await store.write(bulk);
    const kept = await store.read({ ...MINUTES, limit: 5_000 });
    assert.equal(kept.length, 2_000);
    assert.equal(kept[3]?.trades, 9);
    assert.deepEqual(kept[700], candleAt(700, { revision: 1 }));
    assert.deepEqual(kept[1_999], bulk[1_999]);
  });

  test('goes on with compressed candles: reads, corrects, widens and removes them', async (url) => {
    const notices: string[] = [];
    await using store = await open(url, { onNotice: (notice) => notices.push(notice) });
    const seconds = Array.from({ length: 200 }, (_, index) =>
      candleAt(0, { interval: '1s', openTime: epochMs(DAY_START + index * 300_000) }),
    );
    const minutes = Array.from({ length: 1_000 }, (_, index) => candleAt(index));
    await store.write([...seconds, ...minutes]);
    if (notices.length > 0) assert.match(notices.join(), /TimescaleDB/);
    else await compressAll(url);
    assert.deepEqual(await store.read({ ...MINUTES, limit: 2_000 }), minutes);
    const corrected = candleAt(5, { revision: 1, reason: 'repair', close: decimal('0.12345678') });
    await store.write([corrected, candleAt(6, { close: decimal('1') })]);
    const expected = minutes.with(5, corrected);
    assert.deepEqual(await store.read({ ...MINUTES, limit: 2_000 }), expected);
    const [count] = await execute(url, 'SELECT count(*)::int AS n FROM scaled_candles');
    assert.equal(count?.['n'], 1_000, 'no row twice');
    const before = epochMs(DAY_START + 150 * 300_000);
    assert.equal(await store.prune('1s', before), 150);
    assert.deepEqual(await store.read({ ...MINUTES, interval: '1s' }), seconds.slice(150));
    assert.equal(await store.prune('1m', candleAt(10).openTime), 10);
    assert.equal(await store.lastOpenTime(BTCUSDT, '1m'), candleAt(999).openTime);
  });

  test('goes on with compressed trades: reads them, takes them again, and one that was missing', async (url) => {
    const notices: string[] = [];
    await using store = await open(url, { onNotice: (notice) => notices.push(notice) });
    const trades = Array.from({ length: 2_000 }, (_, id) => tradeAt(id));
    await store.write([], trades.toSpliced(700, 1));
    if (notices.length === 0) await compressAll(url, ['scaled_trades']);
    await store.write([candleAt(0)], trades.slice(600, 800));
    const query = { symbol: BTCUSDT, limit: 3_000, take: 'first' } as const;
    assert.deepEqual(await store.trades.read(query), trades);
    const [count] = await execute(url, 'SELECT count(*)::int AS n FROM scaled_trades');
    assert.equal(count?.['n'], 2_000, 'no row twice');
  });

  test('shows people trades with their decimals, and no id without a trade', async (url) => {
    await using store = await open(url);
    await store.write([], [tradeAt(2), tradeAt(3, NO_TRADE)]);
    const rows = await execute(url, 'SELECT * FROM trades');
    assert.equal(rows.length, 1);
    const { symbol, price, quantity, taker_side, trade_time } = rows[0] ?? {};
    assert.deepEqual(
      [symbol, price, quantity, taker_side],
      ['BTCUSDT', '87650.21', '0.00123', 'sell'],
    );
    assert.deepEqual(trade_time, new Date(DAY_START + 2_000));
  });
}

/** What the policy's job would do in time. */
async function compressAll(
  url: string,
  tables = ['scaled_candles', 'scaled_candles_1s'],
): Promise<void> {
  for (const table of tables) {
    const rows = await execute(url, `SELECT compress_chunk(c) FROM show_chunks('${table}') c`);
    assert.ok(rows.length > 0, `${table} has chunks`);
  }
}

/** What needs more than one session. */
function crowdTests(server: TestServer): void {
  it('migrates once where several start at once', async () => {
    const url = await freshSchema(server);
    const stores = await Promise.all([1, 2, 3, 4].map(() => openTimescaleStore({ url, source })));
    await Promise.all(stores.map((store, index) => store.write([candleAt(index)])));
    assert.deepEqual(
      await stores[0]?.read(MINUTES),
      [0, 1, 2, 3].map((index) => candleAt(index)),
    );
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
    await dropSchema(server, url);
  });

  it('writes from several at once while scales widen, to the digit (I3)', async () => {
    const url = await freshSchema(server);
    const stores = await Promise.all([1, 2, 3].map(() => openTimescaleStore({ url, source })));
    const candle = (writer: number, index: number) => {
      const places = '12345678'.slice(0, (index * 3 + writer) % 9);
      const close = decimal(places === '' ? '7' : `7.${places}`);
      const symbol = marketSymbol(index % 2 === 0 ? 'BTCUSDT' : 'ETHUSDT');
      return candleAt(index * 3 + writer, { symbol, close });
    };
    await Promise.all(
      stores.map(async (store, writer) => {
        for (let index = 0; index < 40; index += 2) {
          await store.write([candle(writer, index + 1), candle(writer, index)]);
        }
      }),
    );
    const all = [0, 1, 2].flatMap((w) => Array.from({ length: 40 }, (_, i) => candle(w, i)));
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
      const expected = all
        .filter((each) => each.symbol === symbol)
        .toSorted((a, b) => a.openTime - b.openTime);
      assert.deepEqual(
        await stores[0]?.read({ ...MINUTES, symbol: marketSymbol(symbol) }),
        expected,
      );
    }
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
    await dropSchema(server, url);
  });
}

function outageTests(bin: string): void {
  it('says the server cannot be reached, without the password, and goes on when it is back', async () => {
    await using server = await startDebianPostgres(bin);
    const url = server.url.replace('postgres@', 'postgres:secret@');
    await using store = await openTimescaleStore({ url, source });
    await store.write([candleAt(0)]);
    await server.kill();
    for (const attempt of [
      () => store.write([candleAt(1)]),
      () => store.read(MINUTES),
      () => openTimescaleStore({ url, source }),
    ]) {
      await assert.rejects(attempt, (error) => {
        assert.ok(error instanceof StoreError, String(error));
        assert.equal(error.code, 'unreachable');
        assert.match(error.message, /database "postgres" on 127\.0\.0\.1.*DATABASE_URL/);
        assert.ok(!error.message.includes('secret'), error.message);
        return true;
      });
    }
    await server.restart();
    await store.write([candleAt(1)]);
    assert.deepEqual(await store.read(MINUTES), [candleAt(0), candleAt(1)]);
  });

  it('lives on where the server is killed in the middle of a transaction', async () => {
    await using server = await startDebianPostgres(bin);
    await using store = await openTimescaleStore({ url: server.url, source });
    await store.write([candleAt(0)]);
    const other = postgres(server.url, { max: 1, fetch_types: false });
    await other.unsafe('BEGIN; LOCK TABLE scaled_candles');
    const writing = assert.rejects(store.write([candleAt(1)], [tradeAt(1)]), {
      code: 'unreachable',
    });
    const waits = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`;
    while ((await execute(server.url, waits)).length === 0);
    await server.kill();
    await writing;
    await other.end({ timeout: 0 });
    await server.restart();
    await store.write([candleAt(1)], [tradeAt(1)]);
    assert.deepEqual(await store.read(MINUTES), [candleAt(0), candleAt(1)]);
  });

  it('gives up on a server that hangs, and is well once it answers again', async () => {
    await using server = await startDebianPostgres(bin);
    await using store = await openTimescaleStore({ url: server.url, source, answerTimeoutMs: 500 });
    await store.write([candleAt(0)]);
    server.signal('SIGSTOP');
    await assert.rejects(store.write([candleAt(1)]), { code: 'unreachable' });
    server.signal('SIGCONT');
    await store.write([candleAt(1)]);
    assert.deepEqual(await store.read(MINUTES), [candleAt(0), candleAt(1)]);
  });

  it('says what is wrong with a database, a user or a right', async () => {
    await using server = await startDebianPostgres(bin);
    const at = (change: (url: URL) => void) => {
      const url = new URL(server.url);
      change(url);
      return openTimescaleStore({ url: url.href, source });
    };
    const absent = at((url) => {
      url.pathname = '/absent';
    });
    await assert.rejects(absent, { code: 'unreachable', message: /create that database/ });
    await execute(
      server.url,
      'CREATE ROLE reader LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC',
    );
    const refused = at((url) => {
      url.username = 'reader';
    });
    await assert.rejects(refused, { code: 'unwritable', message: /rights/ });
    const unknown = at((url) => {
      url.username = 'nobody';
    });
    await assert.rejects(unknown, { code: 'unwritable', message: /user, password/ });
  });
}

function closingWith(store: CandleStore, done: () => Promise<void>): CandleStore {
  let isDone = false;
  return {
    ...store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      if (!isDone) await done();
      isDone = true;
    },
  };
}

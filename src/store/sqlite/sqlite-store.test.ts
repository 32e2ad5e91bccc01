import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { auditStoreContract } from '../../../test/contracts/audit-store-contract.ts';
import {
  BTCUSDT,
  candleAt,
  candleStoreContract,
  DAY_START,
} from '../../../test/contracts/candle-store-contract.ts';
import { tradeAt, tradeStoreContract } from '../../../test/contracts/trade-store-contract.ts';
import { decimal } from '../../core/market/decimal.ts';
import type { Source } from '../../core/market/source.ts';
import { epochMs } from '../../core/market/time.ts';
import { StoreError } from '../candle-store.ts';
import { MIGRATIONS, migrate, versionOf } from './migrations.ts';
import { openSqliteStore } from './sqlite-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'sqlite-store-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function newPath(): string {
  files += 1;
  return join(folder, `${files}`, 'candles.db');
}

const source: Source = { kind: 'binance', host: 'binance.com' };

candleStoreContract('openSqliteStore', () => openSqliteStore({ path: newPath(), source }));
auditStoreContract('openSqliteStore', () => openSqliteStore({ path: newPath(), source }));
tradeStoreContract('openSqliteStore', () => openSqliteStore({ path: newPath(), source }));

/** Closed again if it opens after all, so that a failing test does not hang on it. */
async function openingFails(
  options: Parameters<typeof openSqliteStore>[0],
  code: StoreError['code'],
): Promise<void> {
  await assert.rejects(
    async () => {
      await using _ = await openSqliteStore(options);
    },
    (error) => {
      assert.ok(error instanceof StoreError, String(error));
      assert.equal(error.code, code, error.message);
      assert.ok(error.message.includes(options.path), error.message);
      assert.ok(!error.message.includes('\n'), 'one line');
      return true;
    },
  );
}

async function withCandles(path: string): Promise<void> {
  await using store = await openSqliteStore({ path, source });
  await store.write([candleAt(0), candleAt(1)]);
}

describe('openSqliteStore: the file', () => {
  it('keeps candles over a reopening', async () => {
    const path = newPath();
    await withCandles(path);
    await using store = await openSqliteStore({ path, source });
    const query = { symbol: BTCUSDT, interval: '1m', limit: 10, take: 'last' } as const;
    assert.deepEqual(await store.read(query), [candleAt(0), candleAt(1)]);
  });

  it('stays as large as what is kept: the pages of what was removed are used again', async () => {
    await using store = await openSqliteStore({ path: newPath(), source });
    const hourMs = 3_600_000;
    const perHour = 3_000;
    const rounds = 24;
    const sizes: number[] = [];
    // Hours of 1s candles and trades, of which the last two hours are kept.
    for (let hour = 0; hour < rounds; hour++) {
      const at = (index: number) => epochMs(DAY_START + hour * hourMs + index * 1_000);
      const each = Array.from({ length: perHour }, (_, index) => index);
      await store.write(
        each.map((index) => candleAt(0, { interval: '1s', openTime: at(index) })),
        each.map((index) => tradeAt(hour * perHour + index, { tradeTime: at(index) })),
      );
      const before = epochMs(Math.max(0, DAY_START + (hour - 1) * hourMs));
      await store.prune('1s', before);
      while ((await store.trades.prune({ before, limit: 2_000 })) > 0);
      sizes.push(await store.bytes());
    }
    const [early = 0, last = 0] = [sizes[7], sizes.at(-1)];
    assert.ok(last < 1.25 * early, `from hour 8 to ${rounds}: ${sizes.join(' ')} bytes`);
  });

  it('refuses candles of another source (I10)', async () => {
    const path = newPath();
    await withCandles(path);
    await openingFails({ path, source: { kind: 'simulated', seed: 7 } }, 'foreign-source');
    await openingFails({ path, source: { kind: 'binance', host: 'other' } }, 'foreign-source');
    await using _ = await openSqliteStore({ path, source });
  });

  it('leaves the database of another program alone', async () => {
    const path = newPath();
    mkdirSync(join(path, '..'), { recursive: true });
    const other = new DatabaseSync(path);
    other.exec('CREATE TABLE notes (text)');
    other.close();
    const before = readFileSync(path);
    await openingFails({ path, source }, 'foreign-source');
    assert.deepEqual(readFileSync(path), before);
  });

  it('leaves a newer version alone', async () => {
    const path = newPath();
    await withCandles(path);
    const newer = new DatabaseSync(path);
    newer.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}; PRAGMA journal_mode = DELETE`);
    newer.close();
    const before = readFileSync(path);
    await openingFails({ path, source }, 'newer-version');
    await openingFails({ path, source, readOnly: true }, 'newer-version');
    assert.deepEqual(readFileSync(path), before);
  });

  it('calls what is no database, or a broken one, damaged and never writes over it', async () => {
    const path = newPath();
    await withCandles(path);
    const whole = readFileSync(path);
    const broken = Buffer.from(whole);
    broken.fill(0xff, 4_096);
    const header = Buffer.from(whole);
    header.fill(0, 0, 16);
    const contents = [
      Buffer.from('hello'),
      Buffer.from('time,open,high\n'.repeat(1_000)),
      whole.subarray(0, 5_000),
      broken,
      header,
    ];
    for (const content of contents) {
      writeFileSync(path, content);
      await openingFails({ path, source }, 'damaged');
      await openingFails({ path, source, readOnly: true }, 'damaged');
      assert.deepEqual(readFileSync(path), content);
    }
  });

  it('says where it cannot write', async () => {
    const path = newPath();
    await withCandles(path);
    await openingFails({ path: join(path, 'candles.db'), source }, 'unwritable');
    mkdirSync(join(folder, 'directory.db'));
    await openingFails({ path: join(folder, 'directory.db'), source }, 'unwritable');
  });

  it('keeps a second writer out until the first closes', async () => {
    const path = newPath();
    {
      await using _ = await openSqliteStore({ path, source });
      await openingFails({ path, source }, 'locked');
    }
    await using _ = await openSqliteStore({ path, source });
  });

  it('lets others read while it writes, and refuses their writes', async () => {
    const path = newPath();
    await using store = await openSqliteStore({ path, source });
    await store.write([candleAt(0)]);
    await using reader = await openSqliteStore({ path, source, readOnly: true });
    const query = { symbol: BTCUSDT, interval: '1m', limit: 10, take: 'last' } as const;
    assert.deepEqual(await reader.read(query), [candleAt(0)]);
    const finer = candleAt(1, { close: decimal('0.12345678') });
    await store.write([finer]);
    assert.deepEqual(await reader.read(query), [candleAt(0), finer], 'the scale has widened');
    assert.deepEqual(await reader.symbols(), ['BTCUSDT']);
    assert.equal(await reader.lastOpenTime(BTCUSDT, '1m'), finer.openTime);
    await assert.rejects(reader.write([candleAt(2)]), { code: 'unwritable' });
    await openingFails({ path: newPath(), source, readOnly: true }, 'unwritable');
  });

  it('shows people decimals as text', async () => {
    const path = newPath();
    {
      await using store = await openSqliteStore({ path, source });
      await store.write([
        candleAt(0, { open: decimal('0.00000012'), high: decimal('10'), volume: decimal('7') }),
      ]);
      await store.write([candleAt(1, { volume: decimal('12345678901234567890') })]);
    }
    const database = new DatabaseSync(path, { readOnly: true });
    const [row, wide] = database.prepare('SELECT * FROM candles_text').all();
    database.close();
    assert.equal(row?.['symbol'], 'BTCUSDT');
    assert.equal(row?.['open_time_utc'], '2026-01-01T00:00:00.000Z');
    assert.equal(row?.['open'], '0.00000012');
    assert.equal(row?.['high'], '10.00000000');
    assert.equal(row?.['quote_volume'], '1082089.1234567');
    assert.equal(wide?.['volume'], '12345678901234567890.00000000');
    assert.equal(wide?.['taker_buy_volume'], '6.00001');
  });
});

describe('migrate', () => {
  it('does the steps that are missing, once each', () => {
    const database = new DatabaseSync(':memory:');
    migrate(database, ['CREATE TABLE a (x)']);
    migrate(database, ['CREATE TABLE a (x)', 'CREATE TABLE b (x); INSERT INTO a VALUES (1)']);
    migrate(database, ['CREATE TABLE a (x)', 'CREATE TABLE b (x); INSERT INTO a VALUES (1)']);
    assert.equal(versionOf(database), 2);
    assert.equal(database.prepare('SELECT count(*) AS n FROM a').get()?.['n'], 1);
  });

  it('undoes a step that fails and keeps those before it', () => {
    const database = new DatabaseSync(':memory:');
    const steps = ['CREATE TABLE a (x)', 'CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)'];
    assert.throws(() => migrate(database, steps), /nowhere/);
    assert.equal(versionOf(database), 1);
    const tables = database.prepare('SELECT name FROM sqlite_schema').all();
    assert.deepEqual(
      tables.map(({ name }) => name),
      ['a'],
    );
  });
});

// Copies: whole while somebody writes, refused where there is something already or nothing whole to copy.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { BTCUSDT, candleAt } from '../../../test/contracts/candle-store-contract.ts';
import type { Source } from '../../core/market/source.ts';
import { copyDatabase } from './copy-database.ts';
import { openSqliteStore } from './sqlite-store.ts';

const source: Source = { kind: 'binance', host: 'binance.com' };
const root = mkdtempSync(join(tmpdir(), 'copy-database-'));
after(() => rmSync(root, { recursive: true, force: true }));
const newFolder = () => mkdtempSync(join(root, 'folder-'));

describe('copyDatabase', () => {
  it('copies what was acknowledged before it, whole, while a writer goes on', async () => {
    const [from, to] = [join(newFolder(), 'a.db'), join(newFolder(), 'b.db')];
    await using store = await openSqliteStore({ path: from, source });
    let index = 0;
    const writeSome = async (): Promise<void> => {
      await store.write(Array.from({ length: 500 }, () => candleAt(index++)));
    };
    for (let batch = 0; batch < 20; batch++) await writeSome();
    const acknowledged = index;
    let isCopied = false;
    const copying = copyDatabase(from, to).finally(() => {
      isCopied = true;
    });
    while (!isCopied) {
      await writeSome();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await copying;
    await using copy = await openSqliteStore({ path: to, source });
    const kept = await copy.read({ symbol: BTCUSDT, interval: '1m', limit: 1e6, take: 'first' });
    assert.ok(kept.length >= acknowledged, `${kept.length} of ${acknowledged}`);
    assert.equal(kept.length % 500, 0, 'no batch in part');
    await copy.write([candleAt(index)]);
    await store.write([candleAt(index)]);
  });

  it('overwrites nothing, and leaves nothing half', async () => {
    const folder = newFolder();
    const [from, to] = [join(folder, 'a.db'), join(folder, 'b.db')];
    {
      await using store = await openSqliteStore({ path: from, source });
      await store.write([candleAt(0)]);
    }
    writeFileSync(to, 'mine');
    await assert.rejects(copyDatabase(from, to), { code: 'unwritable' });
    assert.equal(readFileSync(to, 'utf8'), 'mine');
    const broken = join(folder, 'broken.db');
    writeFileSync(broken, readFileSync(from).fill(0xff, 4_096));
    await assert.rejects(copyDatabase(broken, join(folder, 'c.db')), { code: 'damaged' });
    writeFileSync(broken, 'hello');
    await assert.rejects(copyDatabase(broken, join(folder, 'c.db')), { code: 'damaged' });
    assert.deepEqual(
      readdirSync(folder).filter((name) => !/lock|wal|shm/.test(name)),
      ['a.db', 'b.db', 'broken.db'],
    );
  });
});

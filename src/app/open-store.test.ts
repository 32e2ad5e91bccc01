import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { BTCUSDT, candleAt } from '../../test/contracts/candle-store-contract.ts';
import { temporaryDir } from '../../test/end-to-end/pipeline.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { hasCandles, readStarts, storePath } from './open-store.ts';

const SOURCE = { kind: 'binance', host: 'binance.com' } as const;

/** Where a symbol goes on with these minutes in the store. */
async function startOf(minutes: readonly number[]) {
  await using dir = await temporaryDir();
  await using store = await openSqliteStore({ path: `${dir.path}/candles.db`, source: SOURCE });
  await store.write(minutes.map((minute) => candleAt(minute)));
  const [start] = await readStarts(store, [BTCUSDT], SOURCE);
  return { resumeFrom: start?.resumeFrom, hole: await start?.oldestHole?.() };
}

const openTime = (minute: number) => candleAt(minute).openTime;

test('a symbol goes on after its newest minute, and knows its oldest hole', async () => {
  assert.deepEqual(await startOf([]), { resumeFrom: undefined, hole: undefined });
  assert.deepEqual(await startOf([5, 6, 7]), { resumeFrom: openTime(8), hole: undefined });
  assert.deepEqual(await startOf([5, 6, 9, 12]), { resumeFrom: openTime(13), hole: openTime(7) });
});

test('what is older than is fetched after a pause is no hole to fetch', async () => {
  const month = 30 * 1_440;
  const old = [0, 1];
  const { hole } = await startOf([...old, month + 10, month + 11]);
  assert.equal(hole, undefined);
});

test('candles of an older version are candles, though the file is not upgraded by the look', async () => {
  await using dir = await temporaryDir();
  const source = SOURCE;
  const choice = { dataDir: dir.path, databaseUrl: undefined };
  const path = storePath(dir.path, source);
  assert.equal(await hasCandles(choice, source), false);
  {
    await using store = await openSqliteStore({ path, source });
    assert.equal(await hasCandles(choice, source), false);
    await store.write([candleAt(0)]);
  }
  assert.equal(await hasCandles(choice, source), true);
  const older = new DatabaseSync(path);
  older.exec('DROP VIEW trades_text; DROP TABLE trades; PRAGMA user_version = 4');
  older.close();
  assert.equal(await hasCandles(choice, source), true);
  await using store = await openSqliteStore({ path, source });
  assert.deepEqual(await store.symbols(), [BTCUSDT]);
});

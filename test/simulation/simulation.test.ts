// The simulation itself: that a seed is a whole run, replayed exactly, whatever store it is on. `npm run test:simulation` runs many.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { temporaryDir } from '../end-to-end/pipeline.ts';
import { simulate } from './simulate.ts';

const RUN = {
  seed: 20,
  hours: 0.22,
  kinds: ['reset', 'crash', 'drop-trades', 'rest-500'],
} as const;

test('a seed gives the same trace each time, to the last byte', async () => {
  const once = await simulate(RUN);
  const again = await simulate(RUN);
  assert.equal(again.digest, once.digest);
  assert.deepEqual(once.failures, [], 'the run ends in the truth');
  assert(once.lives > 1, 'it has crashed');
});

test('on SQLite a run is the same as on the store in memory', async () => {
  await using dir = await temporaryDir();
  const source = { kind: 'binance', host: 'api-1.sim' } as const;
  await using store = await openSqliteStore({ path: join(dir.path, 'candles.db'), source });
  const onDisk = await simulate({ ...RUN, store });
  const inMemory = await simulate(RUN);
  assert.equal(onDisk.digest, inMemory.digest);
});

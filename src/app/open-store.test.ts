import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryDir } from '../../test/end-to-end/pipeline.ts';
import { addMs, HOUR_MS } from '../core/market/time.ts';
import { aCandle, BTCUSDT, minute } from '../stages/serve/testing/market-fixtures.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { readSeed } from './open-store.ts';

test('I5: a start knows the revisions of all that a repair can still reach, seconds of yesterday too', async () => {
  await using dir = await temporaryDir();
  const source = { kind: 'simulated', seed: 7 } as const;
  await using store = await openSqliteStore({ path: `${dir.path}/candles.db`, source });
  const resumeFrom = minute(2_000);
  const second = (hoursAgo: number, revision: number) =>
    aCandle(addMs(resumeFrom, -hoursAgo * HOUR_MS), { interval: '1s', revision });
  await store.write([second(30, 1), second(25, 3), second(2, 1), second(1, 0)]);
  const { corrected } = await readSeed(store, BTCUSDT, resumeFrom);
  assert.deepEqual(
    corrected.map(({ openTime, revision }) => [(resumeFrom - openTime) / HOUR_MS, revision]),
    [
      [25, 3],
      [2, 1],
    ],
  );
});

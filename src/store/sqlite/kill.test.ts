// A writer killed at any instant (I6): every acknowledged batch is in the file, no batch is there in part. Started with `write <path>` this file is that writer.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { BTCUSDT, candleAt } from '../../../test/contracts/candle-store-contract.ts';
import type { Source } from '../../core/market/source.ts';
import type { CandleStore } from '../candle-store.ts';
import { openSqliteStore } from './sqlite-store.ts';

const BATCH = 50;
const source: Source = { kind: 'simulated', seed: 1 };

if (process.argv[2] === 'write') await writeForEver(process.argv[3] ?? '');
else {
  it('keeps every acknowledged batch and no part of one through kill -9', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sqlite-kill-'));
    const path = join(folder, 'candles.db');
    let batches = 0;
    for (const acknowledgements of [1, 3, 8, 2, 20]) {
      const acknowledged = await killAfter(path, acknowledgements);
      await using store = await openSqliteStore({ path, source });
      const kept = await batchesKept(store);
      assert.ok(kept >= acknowledged, `${acknowledged} acknowledged, ${kept} kept`);
      assert.ok(kept >= batches + acknowledgements, 'each life goes on where the last ended');
      batches = kept;
    }
    rmSync(folder, { recursive: true, force: true });
  });
}

/** Batch n: the next 50 candles, and revision n of the first candle. Acknowledges n after its write. */
async function writeForEver(path: string): Promise<void> {
  await using store = await openSqliteStore({ path, source });
  for (let n = (await batchesKept(store)) + 1; ; n++) {
    const candles = Array.from({ length: BATCH }, (_, i) => candleAt((n - 1) * BATCH + i + 1));
    await store.write([...candles, candleAt(0, { revision: n, trades: n })]);
    writeSync(1, `${n}\n`);
  }
}

async function batchesKept(store: CandleStore): Promise<number> {
  const candles = await store.read({
    symbol: BTCUSDT,
    interval: '1m',
    limit: 1_000_000,
    take: 'first',
  });
  const batches = candles[0]?.revision ?? 0;
  assert.equal(candles.length, batches === 0 ? 0 : batches * BATCH + 1, 'no batch in part');
  assert.equal(candles[0]?.trades ?? 0, batches);
  return batches;
}

/** Kills the writer right after its nth acknowledgement, in the midst of what it does next; the last batch acknowledged. */
async function killAfter(path: string, acknowledgements: number): Promise<number> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const writer = spawn(process.execPath, [import.meta.filename, 'write', path], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(writer, 'exit');
  let count = 0;
  let last = 0;
  for await (const line of createInterface({ input: writer.stdout })) {
    last = Number(line);
    count += 1;
    if (count === acknowledgements) writer.kill('SIGKILL');
  }
  await exited;
  assert.ok(count >= acknowledgements, 'the writer ran');
  return last;
}

// kill -9 in any write, on each store: whoever writes, or the database's server itself. No acknowledged candle is lost, none is there twice or in part, and the store opens. Started with `write` or `open` this file is the victim.
// `STORE_KILL_ROUNDS`: rounds of each kind; by default a slice.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Source } from '../../src/core/market/source.ts';
import type { CandleStore } from '../../src/store/candle-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { openTimescaleStore } from '../../src/store/timescale/timescale-store.ts';
import { BTCUSDT, candleAt } from '../contracts/candle-store-contract.ts';
import { seededRandom } from '../fake-exchange/random.ts';
import {
  type DebianPostgres,
  debianPostgresPrograms,
  startDebianPostgres,
} from '../integration/servers/debian-postgres.ts';
import { dropSchema, freshSchema } from '../integration/servers/test-database.ts';

const ROUNDS = Number(process.env['STORE_KILL_ROUNDS'] ?? 5);
const source: Source = { kind: 'simulated', seed: 1 };
const random = seededRandom(7);

/** Rows read back one by one each round: more than a batch. */
const NEWEST = 6_000;

/** Candles of a batch beside the first candle's next revision. */
const BATCHES = { live: 50, bulk: 5_000 } as const;
type Kind = keyof typeof BATCHES;

/** A file's path, or a database's URL. */
function openStore(place: string): Promise<CandleStore> {
  return place.startsWith('postgres:')
    ? openTimescaleStore({ url: place, source })
    : openSqliteStore({ path: place, source });
}

const [, , role, place = '', kind = 'live'] = process.argv;
if (role === 'write') await writeForEver(place, kind === 'bulk' ? 'bulk' : 'live');
else if (role === 'open') await openOnce(place);
else rounds();

/** Batch n: the next candles, and revision n of the first one. Acknowledges n after its write. */
async function writeForEver(at: string, size: Kind): Promise<void> {
  await using store = await openStore(at);
  for (let n = (await batchesKept(store, size)) + 1; ; n++) {
    const first = (n - 1) * BATCHES[size] + 1;
    const candles = Array.from({ length: BATCHES[size] }, (_, index) => candleAt(first + index));
    await store.write([...candles, candleAt(0, { revision: n, trades: n })]);
    writeSync(1, `${n}\n`);
  }
}

async function openOnce(at: string): Promise<void> {
  writeSync(1, '0\n');
  await using store = await openStore(at);
  await store.symbols();
}

async function batchesKept(store: CandleStore, size: Kind): Promise<number> {
  const query = { symbol: BTCUSDT, interval: '1m', take: 'first' } as const;
  const [first] = await store.read({ ...query, limit: 1 });
  const batches = first?.revision ?? 0;
  assert.equal(first?.trades ?? 0, batches, 'the whole row is of one revision');
  const last = await store.lastOpenTime(BTCUSDT, '1m');
  if (last === undefined) return 0;
  const end = candleAt(batches * BATCHES[size]).openTime;
  assert.equal(last, end, 'no batch in part');
  const holes = await store.holes({ ...query, from: candleAt(0).openTime, to: end, limit: 1 });
  assert.deepEqual(holes, [], 'no candle is missing');
  const newest = await store.read({ ...query, take: 'last', limit: NEWEST });
  const from = batches * BATCHES[size] + 1 - newest.length;
  assert.deepEqual(
    newest.map(({ openTime }) => openTime),
    newest.map((_, index) => candleAt(from + index).openTime),
    'none is there twice',
  );
  return batches;
}

function rounds(): void {
  const folder = mkdtempSync(join(tmpdir(), 'store-kill-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  describe('SQLite through kill -9', () => {
    for (const size of ['live', 'bulk'] as const) {
      test(`${ROUNDS} times in ${size} writes`, () => killWriters(join(folder, size), size));
    }
    test(`${ROUNDS} times while it is opened for the first time`, async () => {
      for (let round = 0; round < ROUNDS; round++) await killOpener(join(folder, `new-${round}`));
    });
  });

  const programs = debianPostgresPrograms();
  const isMissing = programs === undefined && process.env['CI'] !== 'true';
  const skip = isMissing ? 'the Debian package postgresql is not installed' : false;
  describe('PostgreSQL through kill -9', { skip }, () => {
    const withServer = async (run: (server: DebianPostgres) => Promise<void>): Promise<void> => {
      await using server = await startDebianPostgres(programs ?? '');
      await run(server);
    };
    for (const size of ['live', 'bulk'] as const) {
      test(`${ROUNDS} times of the writer in ${size} writes`, () =>
        withServer(({ url }) => killWriters(url, size)));
      test(`${ROUNDS} times of the server in ${size} writes`, () =>
        withServer((server) => killServer(server, size)));
    }
    test(`${ROUNDS} times while it is opened for the first time`, () =>
      withServer(async (server) => {
        for (let round = 0; round < ROUNDS; round++) {
          const url = await freshSchema(server);
          await killOpener(url);
          await dropSchema(server, url);
        }
      }));
  });
}

async function killWriters(at: string, size: Kind): Promise<void> {
  let batches = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const victim = startVictim('write', at, size);
    const acknowledged = await victim.acknowledged(1 + Math.floor(random() * 6));
    await setTimeout(random() * 20);
    await victim.kill();
    batches = await check(at, size, Math.max(batches, acknowledged, victim.last()));
  }
}

async function killServer(server: DebianPostgres, size: Kind): Promise<void> {
  let batches = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const victim = startVictim('write', server.url, size);
    await victim.acknowledged(1 + Math.floor(random() * 6));
    await setTimeout(random() * 20);
    await server.kill();
    await victim.kill();
    await server.restart();
    batches = await check(server.url, size, Math.max(batches, victim.last()));
  }
}

/** Killed anywhere in the making of the tables, it opens and takes candles. */
async function killOpener(at: string): Promise<void> {
  const victim = startVictim('open', at);
  await victim.acknowledged(1);
  await setTimeout(random() * 60);
  await victim.kill();
  await using store = await openStore(at);
  await store.write([candleAt(0)]);
  assert.deepEqual(await store.symbols(), [BTCUSDT]);
}

async function check(at: string, size: Kind, acknowledged: number): Promise<number> {
  await using store = await openStore(at);
  const kept = await batchesKept(store, size);
  assert.ok(kept >= acknowledged, `${acknowledged} batches acknowledged, ${kept} kept`);
  return kept;
}

interface Victim {
  /** Waits for so many acknowledgements; the last one's number. */
  acknowledged(count: number): Promise<number>;
  last(): number;
  kill(): Promise<void>;
}

function startVictim(as: 'write' | 'open', at: string, size: Kind = 'live'): Victim {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child: ChildProcess = spawn(process.execPath, [import.meta.filename, as, at, size], {
    env,
    // What it says when its server is killed is expected.
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  let count = 0;
  let last = 0;
  let look = (): void => undefined;
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      count += 1;
      last = Number(line);
      look();
    });
  }
  return {
    last: () => last,
    async acknowledged(wanted) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      look = () => count >= wanted && resolve();
      look();
      exited.then(() => reject(new Error(`The writer ended after ${count} acknowledgements`)));
      await promise;
      return last;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

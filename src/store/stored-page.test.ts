import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { BTCUSDT, candleAt, DAY_START } from '../../test/contracts/candle-store-contract.ts';
import { historyRollUp } from '../core/aggregation/history-roll-up.ts';
import type { Candle } from '../core/market/candle.ts';
import { DEFAULT_CALENDAR, INTERVALS, type Interval } from '../core/market/interval.ts';
import { marketSymbol } from '../core/market/symbol.ts';
import { addMs, DAY_MS, epochMs, HOUR_MS } from '../core/market/time.ts';
import type { CandleStore } from './candle-store.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';
import { PARTS_READ_MAX, readStoredPage } from './stored-page.ts';

const folder = mkdtempSync(join(tmpdir(), 'stored-page-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const emptyStore = (): Promise<CandleStore> => {
  files += 1;
  const source = { kind: 'simulated', seed: 1 } as const;
  return openSqliteStore({ path: join(folder, `${files}.db`), source });
};

const minutes = (from: number, count: number): Candle[] =>
  Array.from({ length: count }, (_, index) =>
    candleAt(from + index, { trades: index + 1, source: 'klines' }),
  );
const rolled = (parts: readonly Candle[], interval: Interval): readonly Candle[] => {
  const windows = historyRollUp([interval], DEFAULT_CALENDAR, parts[0]?.openTime ?? DAY_START);
  return parts.flatMap((minute) => windows.add(minute));
};
const openTimes = (candles: readonly Candle[]) => candles.map(({ openTime }) => openTime);

describe('readStoredPage', () => {
  it('makes every interval of the minutes that are kept, equal to those that would be stored', async () => {
    await using store = await emptyStore();
    const kept = minutes(0, 33 * 1_440);
    await store.write(kept);
    for (const interval of INTERVALS.slice(2)) {
      const { candles } = await readStoredPage(store, { symbol: BTCUSDT, interval, limit: 40 });
      assert.ok(candles.length > 0, `${interval} is made`);
      assert.deepEqual(candles, rolled(kept, interval).slice(-candles.length), interval);
    }
  });

  it('fills what is not kept between and before kept ones, and nothing else', async () => {
    const hours = 40;
    const kept = minutes(0, hours * 60);
    const all = rolled(kept, '1h');
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat({ max: hours - 1 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: hours + 10 }),
        fc.nat({ max: hours + 5 }),
        async (indexes, limit, to) => {
          await using one = await emptyStore();
          await one.write([...kept, ...indexes.map((index) => all[index] ?? candleAt(0))]);
          const until = addMs(DAY_START, to * HOUR_MS);
          const query = { symbol: BTCUSDT, interval: '1h', to: until, limit } as const;
          const { candles, isCut } = await readStoredPage(one, query);
          assert.equal(isCut, false);
          const wanted = all.filter(({ openTime }) => openTime <= until).slice(-limit);
          assert.deepEqual(openTimes(candles), openTimes(wanted));
        },
      ),
      { numRuns: 12 },
    );
  });

  it('goes on page by page where more minutes are needed than are read for one', async () => {
    await using store = await emptyStore();
    const count = PARTS_READ_MAX + 4_000;
    const kept = minutes(0, count);
    await store.write(kept);
    const found: Candle[] = [];
    let to = epochMs(DAY_START + 60 * DAY_MS);
    for (let isCut = true; isCut; ) {
      const page = await readStoredPage(store, { symbol: BTCUSDT, interval: '4h', to, limit: 500 });
      found.unshift(...page.candles);
      isCut = page.isCut;
      to = addMs(found[0]?.openTime ?? to, -1);
    }
    assert.deepEqual(openTimes(found), openTimes(rolled(kept, '4h')));
  });

  it('makes no window that is not over, and none of which the beginning is unknown', async () => {
    await using store = await emptyStore();
    await store.write(minutes(30, 60 + 45));
    const { candles } = await readStoredPage(store, { symbol: BTCUSDT, interval: '1h', limit: 10 });
    assert.deepEqual(openTimes(candles), [addMs(DAY_START, HOUR_MS)].slice(0, 1));
  });

  it('marks a window incomplete of which minutes are missing', async () => {
    await using store = await emptyStore();
    await store.write(minutes(0, 180).filter((_, index) => index < 70 || index > 90));
    const { candles } = await readStoredPage(store, { symbol: BTCUSDT, interval: '1h', limit: 10 });
    assert.deepEqual(
      candles.map(({ complete }) => complete),
      [true, false, true],
    );
  });

  it('makes no 3d candles where the day their windows open is not known', async () => {
    await using store = await emptyStore();
    const symbol = marketSymbol('ETHUSDT');
    await store.write(minutes(0, 3_000).map((minute) => ({ ...minute, symbol })));
    const read = (interval: Interval) => readStoredPage(store, { symbol, interval, limit: 10 });
    assert.deepEqual((await read('3d')).candles, []);
    assert.equal((await read('1d')).candles.length, 2);
  });
});

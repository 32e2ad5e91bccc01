import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { BTCUSDT, candleAt, DAY_START } from '../../../test/contracts/candle-store-contract.ts';
import { tradeAt } from '../../../test/contracts/trade-store-contract.ts';
import { start, tick } from '../../../test/persist/persist-run.ts';
import type { RawTick } from '../../core/market/raw-tick.ts';
import { DAY_MS, epochMs, MINUTE_MS } from '../../core/market/time.ts';
import { memoryLog } from '../../log/memory/memory-log.ts';
import { WRITE_TRADES_MAX } from './store-batches.ts';

describe('persist, where trades are kept', () => {
  it('writes no trade where they are not', async () => {
    const run = start();
    await run.ticks(tick(1), tick(2));
    await run.append([candleAt(0)]);
    await run.until(() => run.stored.length === 1);
    assert.deepEqual(await run.tradeIds(), []);
    await run.end();
  });

  it('stores each once: live, sent again, of a repair, and the place of an id without one', async () => {
    const run = start({ keepTradesMs: DAY_MS });
    const repair: RawTick = {
      type: 'repair',
      repair: {
        ...{ symbol: BTCUSDT, openTime: DAY_START, part: 0, parts: 1 },
        trades: [tradeAt(1), tradeAt(2), tradeAt(3)],
      },
    };
    const none: RawTick = {
      type: 'void',
      trade: { symbol: BTCUSDT, aggTradeId: 4, tradeTime: tradeAt(4).tradeTime },
    };
    await run.ticks(tick(1), tick(3), none, tick(5), tick(5), repair);
    await run.until(() => run.writes.length > 0);
    await run.ticks(tick(3), tick(4), tick(6));
    await run.until(() => run.writes.length > 1);
    assert.deepEqual(await run.tradeIds(), [1, 2, 3, 4, 5, 6]);
    await run.end();
  });

  it('never has a minute before the trades that came before it, wherever it is killed (I6)', async () => {
    const run = start({ keepTradesMs: DAY_MS });
    const minutes = 12;
    const each = WRITE_TRADES_MAX / 4 + 7;
    const ofMinute = (minute: number) =>
      Array.from({ length: each }, (_, index) => tick(minute * each + index));
    for (let minute = 0; minute < minutes; minute++) {
      await run.ticks(...ofMinute(minute));
      await run.append([candleAt(minute), candleAt(minute, { interval: '5m' })]);
    }
    await run.until(() => run.stored.length === 2 * minutes);
    assert.ok(run.writes.length > 1, 'a backlog in parts');
    let [candles, trades] = [0, 0];
    for (const write of run.writes) {
      assert.ok(write.trades.length < WRITE_TRADES_MAX + each);
      candles += write.candles;
      trades += write.trades.length;
      assert.equal(candles % 2, 0, 'a minute and its 5m in one part');
      assert.ok(trades >= (candles / 2) * each, `${candles} candles, ${trades} trades`);
    }
    await run.end();
  });

  it('holds up no writer while the store fails, and catches up', async () => {
    const log = memoryLog({
      retention: () => ({ atBound: 'wait', recordsMax: 2, unheldRecordsMax: 1_000 }),
    });
    let isBack = false;
    const run = start({ log, keepTradesMs: DAY_MS, failsUntil: () => isBack });
    for (let id = 0; id < 50; id++) await run.ticks(tick(id));
    await run.until(() => run.states.at(-1)?.state === 'failing');
    isBack = true;
    await run.until(() => run.writes.length > 0);
    await run.end();
    assert.equal((await run.tradeIds()).length, 50);
    assert.equal(run.states.at(-1)?.lostTrades, 0);
  });

  it('tells how many went at the log’s bound, apart from candles', async () => {
    const log = memoryLog({
      retention: () => ({ atBound: 'wait', recordsMax: 2, unheldRecordsMax: 10 }),
    });
    let isBack = false;
    const run = start({ log, keepTradesMs: DAY_MS, failsUntil: () => isBack });
    await run.ticks(tick(0));
    await run.until(() => run.states.at(-1)?.state === 'failing');
    for (let id = 1; id <= 30; id++) await run.ticks(tick(id));
    isBack = true;
    await run.until(() => run.states.at(-1)?.lostTrades === 20);
    assert.equal(run.states.at(-1)?.lostCandles, 0);
    assert.ok(run.lines.some((line) => line.includes('20 records of trades were dropped')));
    await run.end();
  });

  it('leaves out only the trade that the store cannot hold, and says which', async () => {
    const run = start({
      keepTradesMs: DAY_MS,
      refusesTrade: ({ aggTradeId }) => aggTradeId === 3,
    });
    await run.ticks(...[0, 1, 2, 3, 4].map(tick));
    await run.append([candleAt(0)]);
    await run.until(() => run.stored.length === 1);
    assert.deepEqual(await run.tradeIds(), [0, 1, 2, 4]);
    assert.deepEqual(run.states, [{ state: 'writing', lostCandles: 0, lostTrades: 1 }]);
    await run.end();
  });

  it('removes those older than the setting, by the newest candle', async () => {
    const run = start({ keepTradesMs: 3_000 });
    const second = (index: number) =>
      candleAt(0, { interval: '1s', openTime: epochMs(DAY_START + index * 1_000) });
    await run.ticks(...[0, 1, 2, 3, 4].map(tick));
    await run.append([second(4)]);
    await run.until(() => run.pruned.length === 1);
    await run.until(() => run.stored.length === 1);
    for (let turns = 0; turns < 10; turns++) await setImmediate();
    assert.deepEqual(await run.tradeIds(), [2, 3, 4]);
    await run.end();
  });

  it('forgets what was kept under ids that begin anew', async () => {
    const run = start({ keepTradesMs: DAY_MS });
    const time = epochMs(DAY_START + MINUTE_MS);
    const anew: RawTick = {
      type: 'symbol',
      start: {
        ...{ symbol: BTCUSDT, time, threeDayAnchor: DAY_START },
        ...{ minutesFrom: time, daysFrom: time, isNewSeries: true },
      },
    };
    const newTrade = tradeAt(1, { tradeTime: epochMs(time + 5) });
    await run.ticks(...[0, 1, 2].map(tick), anew, { type: 'aggTrade', trade: newTrade });
    await run.until(() => run.writes.length === 2);
    assert.deepEqual(await run.tradeIds(), [1]);
    await run.end();
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { memoryLog } from '../log/memory/memory-log.ts';
import { AUDITS, FEED_STATUS, liveKey, OHLCV, OHLCV_LIVE, RAW_TICKS } from '../protocol/topics.ts';
import { manualClock } from './serve/testing/manual-clock.ts';
import {
  aCandle,
  aLiveCandle,
  anAudit,
  aTrade,
  BTCUSDT,
  liveStatus,
  minute,
} from './serve/testing/market-fixtures.ts';
import { serve } from './serve.ts';

describe('serve', () => {
  it('follows candles, live candles, status, verdicts and trades, and ends when told to', async () => {
    await using log = memoryLog();
    const stop = new AbortController();
    const market = serve({
      log,
      symbols: [BTCUSDT],
      intervals: ['1m', '5m'],
      clock: manualClock(),
      logger: pino({ level: 'silent' }),
      signal: stop.signal,
    });
    const seen = Promise.withResolvers<void>();
    const types = new Set<string>();
    market.subscribe(({ type }) => {
      types.add(type);
      if (types.size === 5) seen.resolve();
    });
    const closed = aCandle(minute(0));
    const live = aLiveCandle(minute(0), { interval: '5m' });
    const trade = aTrade(7);
    const audit = anAudit(minute(0));
    const watermark = { symbol: BTCUSDT, time: minute(1), aggTradeId: 7 };
    await log.append([
      {
        topic: RAW_TICKS,
        key: BTCUSDT,
        value: { type: 'watermark', watermark },
        timestamp: minute(1),
      },
      { topic: RAW_TICKS, key: BTCUSDT, value: { type: 'aggTrade', trade }, timestamp: minute(0) },
      { topic: OHLCV['1m'], key: BTCUSDT, value: closed, timestamp: minute(0) },
      { topic: OHLCV_LIVE, key: liveKey(live), value: live, timestamp: minute(0) },
      { topic: AUDITS, key: BTCUSDT, value: audit, timestamp: minute(0) },
      { topic: FEED_STATUS, key: 'x', value: liveStatus(minute(0)), timestamp: minute(0) },
    ]);
    await seen.promise;
    assert.deepEqual(market.closedTail(BTCUSDT, '1m'), [closed]);
    assert.equal(market.live(BTCUSDT, '5m'), live);
    assert.deepEqual(market.recentTrades(BTCUSDT), [trade]);
    assert.deepEqual(market.auditTail(BTCUSDT), [audit]);
    assert.equal(market.status()?.state, 'live');
    stop.abort();
    await market.done;
  });
});

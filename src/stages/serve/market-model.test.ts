import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MarketEvent } from '../live-market.ts';
import { MarketModel } from './market-model.ts';
import {
  aCandle,
  aLiveCandle,
  aTrade,
  BTCUSDT,
  ETHUSDT,
  minute,
} from './testing/market-fixtures.ts';

function observed(): { readonly market: MarketModel; readonly events: MarketEvent[] } {
  const market = new MarketModel([BTCUSDT]);
  const events: MarketEvent[] = [];
  market.subscribe((event) => events.push(event));
  return { market, events };
}

describe('MarketModel', () => {
  it('lists the symbols asked for, then those seen', () => {
    const { market } = observed();
    market.applyTrade(aTrade(1, { symbol: ETHUSDT }));
    assert.deepEqual(market.symbols(), [BTCUSDT, ETHUSDT]);
  });

  it('holds the open candle until it is closed, whichever topic speaks first', () => {
    const { market, events } = observed();
    const open = aLiveCandle(minute(0));
    market.applyLive(open);
    assert.equal(market.live(BTCUSDT, '1m'), open);
    market.applyClosed(aCandle(minute(0)));
    assert.equal(market.live(BTCUSDT, '1m'), undefined);
    market.applyLive({ ...open, closed: true });
    assert.equal(market.live(BTCUSDT, '1m'), undefined, 'late word of a candle closed before');
    assert.deepEqual(
      events.map(({ type }) => type),
      ['live', 'closed'],
    );
  });

  it('keeps the open candle when an older one is corrected', () => {
    const { market } = observed();
    market.applyClosed(aCandle(minute(0)));
    market.applyLive(aLiveCandle(minute(1)));
    market.applyClosed(aCandle(minute(0), { revision: 1 }));
    assert.equal(market.live(BTCUSDT, '1m')?.openTime, minute(1));
    assert.equal(market.closedTail(BTCUSDT, '1m')[0]?.revision, 1);
  });

  it('tells a closed candle once, and a correction once', () => {
    const { market, events } = observed();
    for (const revision of [0, 0, 1, 1, 0]) market.applyClosed(aCandle(minute(0), { revision }));
    assert.equal(events.length, 2);
  });

  it('drops an open candle older than the one it has', () => {
    const { market } = observed();
    market.applyLive(aLiveCandle(minute(1), { lastAggTradeId: 9 }));
    market.applyLive(aLiveCandle(minute(1), { lastAggTradeId: 8 }));
    market.applyLive(aLiveCandle(minute(0)));
    assert.equal(market.live(BTCUSDT, '1m')?.lastAggTradeId, 9);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TRADES_KEPT_MAX } from '../live-market.ts';
import { aTrade, BTCUSDT } from './testing/market-fixtures.ts';
import { TradeTail } from './trade-tail.ts';

describe('TradeTail', () => {
  it('keeps the newest trades in order, every field', () => {
    const tail = new TradeTail(BTCUSDT);
    const trades = Array.from({ length: TRADES_KEPT_MAX * 2 + 7 }, (_, index) => aTrade(index));
    for (const [index, trade] of trades.entries()) {
      assert.equal(tail.put(trade), true);
      if (index % 97 === 0 || index < 40) {
        assert.deepEqual(
          tail.list(),
          trades.slice(Math.max(0, index + 1 - TRADES_KEPT_MAX), index + 1),
        );
      }
    }
    assert.deepEqual(tail.list(), trades.slice(-TRADES_KEPT_MAX));
  });

  it('drops a trade it has seen', () => {
    const tail = new TradeTail(BTCUSDT);
    tail.put(aTrade(5));
    assert.equal(tail.put(aTrade(5)), false);
    assert.equal(tail.put(aTrade(4)), false);
    assert.deepEqual(tail.list(), [aTrade(5)]);
  });

  it('starts anew after a jump, so that what it lists has no hole', () => {
    const tail = new TradeTail(BTCUSDT);
    for (const id of [1, 2, 3, 7, 8]) tail.put(aTrade(id));
    assert.deepEqual(tail.list(), [aTrade(7), aTrade(8)]);
  });
});

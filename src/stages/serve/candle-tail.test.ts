import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CLOSED_TAIL_MAX } from '../live-market.ts';
import { CandleTail } from './candle-tail.ts';
import { aCandle, BTCUSDT, minute } from './testing/market-fixtures.ts';

describe('CandleTail', () => {
  it('gives back what it took, every field, also values beyond 64 bits and unknown ids', () => {
    const value = fc.bigInt({ min: 0n, max: 10n ** 30n });
    const id = fc.option(fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }), { nil: undefined });
    const candle = fc
      .record({
        index: fc.nat(200),
        decimals: fc.array(value, { minLength: 8, maxLength: 8 }),
        trades: fc.nat(),
        firstTradeId: id,
        lastTradeId: id,
        revision: fc.nat(9),
        complete: fc.boolean(),
        source: fc.constantFrom('trades' as const, 'klines' as const),
        reason: fc.constantFrom(
          undefined,
          'late-trade',
          'repair',
          'rolled-up-correction',
          'rounding',
        ),
      })
      .map(({ index, decimals, reason, ...rest }) => {
        const [open, high, low, close, volume, quoteVolume, takerBuyVolume, takerBuyQuoteVolume] =
          decimals as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
        return aCandle(minute(index), {
          open,
          high,
          low,
          close,
          volume,
          quoteVolume,
          takerBuyVolume,
          takerBuyQuoteVolume,
          ...rest,
          ...(reason === undefined ? {} : { reason: reason as 'repair' }),
        });
      });
    fc.assert(
      fc.property(fc.array(candle, { maxLength: 200 }), (candles) => {
        const tail = new CandleTail(BTCUSDT, '1m');
        let model: typeof candles = [];
        for (const taken of candles) {
          const held = model.find(({ openTime }) => openTime === taken.openTime);
          const isNewer = held === undefined || taken.revision > held.revision;
          assert.equal(tail.put(taken), isNewer);
          if (!isNewer) continue;
          model = [...model.filter((other) => other !== held), taken]
            .sort((a, b) => a.openTime - b.openTime)
            .slice(-CLOSED_TAIL_MAX);
        }
        assert.deepEqual(tail.list(), model);
        assert.equal(tail.newestOpenTime, model.at(-1)?.openTime ?? -1);
      }),
    );
  });
});

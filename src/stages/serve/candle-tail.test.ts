import '../../../test/property-seed.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Candle } from '../../core/market/candle.ts';
import { CLOSED_TAIL_MAX } from '../live-market.ts';
import { CandleTail, OLD_CORRECTIONS_MAX } from './candle-tail.ts';
import { aCandle, BTCUSDT, minute } from './testing/market-fixtures.ts';

const byOpenTime = (a: Candle, b: Candle): number => a.openTime - b.openTime;

interface Model {
  readonly newest: readonly Candle[];
  readonly corrected: readonly Candle[];
}

/** The same model where nothing is new in `taken`. */
function modelPut(model: Model, taken: Candle): Model {
  const oldest = model.newest.length < CLOSED_TAIL_MAX ? -1 : (model.newest[0]?.openTime ?? -1);
  const isOld = taken.openTime < oldest;
  const list = isOld ? model.corrected : model.newest;
  const held = list.find(({ openTime }) => openTime === taken.openTime);
  if (held !== undefined && taken.revision <= held.revision) return model;
  const others = list.filter((other) => other !== held);
  if (!isOld) {
    const all = [...others, taken].sort(byOpenTime);
    const pushedOut = all.slice(0, -CLOSED_TAIL_MAX).filter(({ revision }) => revision > 0);
    return {
      ...model,
      newest: all.slice(-CLOSED_TAIL_MAX),
      corrected: [...model.corrected, ...pushedOut].slice(-OLD_CORRECTIONS_MAX),
    };
  }
  if (taken.revision === 0) return { ...model };
  return { ...model, corrected: [...others, taken].slice(-OLD_CORRECTIONS_MAX) };
}

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
        let model: Model = { newest: [], corrected: [] };
        for (const taken of candles) {
          const next = modelPut(model, taken);
          assert.equal(tail.put(taken), next !== model);
          model = next;
        }
        assert.deepEqual(tail.list(), [...model.corrected.toSorted(byOpenTime), ...model.newest]);
        assert.equal(tail.newestOpenTime, model.newest.at(-1)?.openTime ?? -1);
      }),
    );
  });
});

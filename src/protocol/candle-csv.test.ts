// Rows of CSV: whatever is written is read back, and what is no row, or of another market, is none.
import '../../test/property-seed.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { candleAt } from '../../test/contracts/candle-store-contract.ts';
import type { Candle } from '../core/market/candle.ts';
import { CANDLE_CSV_COLUMNS, decodeCandleCsv, encodeCandleCsv } from './candle-csv.ts';

const MARKET = 'binance:binance.com';
const id = fc.option(fc.integer({ min: -1, max: 2 ** 40 }), { nil: undefined });
const decimal = fc.bigInt({ min: 0n, max: 10n ** 25n });
const candle = fc
  .record({
    open: decimal,
    volume: decimal,
    quoteVolume: decimal,
    takerBuyVolume: decimal,
    trades: fc.nat(),
    firstTradeId: id,
    lastTradeId: id,
    revision: fc.nat(9),
    complete: fc.boolean(),
    source: fc.constantFrom<Candle['source']>('trades', 'klines'),
    interval: fc.constantFrom<Candle['interval']>('1s', '1m', '1w', '1M'),
  })
  .chain((changes) =>
    fc.constantFrom(
      candleAt(0, changes),
      candleAt(1, { ...changes, reason: 'late-trade' }),
      candleAt(2, { ...changes, reason: 'rounding' }),
    ),
  );

describe('candles as CSV', () => {
  it('reads back what it wrote, of any market', () => {
    fc.assert(
      fc.property(candle, fc.constantFrom(MARKET, 'recording:a,"b".ndjson'), (one, market) => {
        const line = encodeCandleCsv(market, one);
        assert.deepEqual(decodeCandleCsv(line, market), one);
        assert.equal(decodeCandleCsv(line, 'simulated:1'), undefined);
      }),
    );
  });

  it('takes a row with any field broken or missing for none', () => {
    const fields = encodeCandleCsv(MARKET, candleAt(0)).split(',');
    assert.equal(fields.length, CANDLE_CSV_COLUMNS.length);
    for (const index of fields.keys()) {
      assert.equal(decodeCandleCsv(fields.with(index, '?').join(','), MARKET), undefined);
      assert.equal(decodeCandleCsv(fields.toSpliced(index, 1).join(','), MARKET), undefined);
    }
  });
});

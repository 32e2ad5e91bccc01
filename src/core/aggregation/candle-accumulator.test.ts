// I3: the hot path's sums equal BigInt's in every digit, at the places where doubles would round.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../../test/property-seed.ts';
import fc from 'fast-check';
import { type AggTrade, priceOf, quantityOf } from '../market/agg-trade.ts';
import { DECIMAL_ONE, decimalOf } from '../market/decimal.ts';
import { marketSymbol } from '../market/symbol.ts';
import { epochMs } from '../market/time.ts';
import { CandleAccumulator, QuoteValue } from './candle-accumulator.ts';

const ONE = 100_000_000n;

const trade = (
  price: readonly [number, number],
  quantity: readonly [number, number],
): AggTrade => ({
  symbol: marketSymbol('BTCUSDT'),
  aggTradeId: 1,
  priceInteger: price[0],
  priceFraction: price[1],
  quantityInteger: quantity[0],
  quantityFraction: quantity[1],
  firstTradeId: 1,
  lastTradeId: 1,
  tradeTime: epochMs(0),
  eventTime: epochMs(0),
  buyerIsMaker: false,
});

function assertQuote(each: AggTrade): void {
  const quote = new QuoteValue();
  quote.set(each);
  const exact = (priceOf(each) * quantityOf(each)) / DECIMAL_ONE;
  assert.equal(decimalOf(quote.integer, quote.fraction) + quote.wide, exact);
}

/** x with a × x ≡ 1 (mod 1e8), for an `a` that shares no factor with 10. */
function inverse(a: bigint): bigint {
  let [old, now, oldS, s] = [a, ONE, 1n, 0n];
  while (now !== 0n) {
    const quotient = old / now;
    [old, now] = [now, old - quotient * now];
    [oldS, s] = [s, oldS - quotient * s];
  }
  return ((oldS % ONE) + ONE) % ONE;
}

const places = fc.integer({ min: 0, max: 99_999_999 });
const integers = fc.oneof(
  fc.constant(0),
  fc.nat(100_000),
  fc.integer({ min: 0, max: 10 ** 15 - 1 }),
);

test('I3: a quote value is price × quantity truncated to 8 places, whatever their size', () => {
  fc.assert(
    fc.property(fc.tuple(integers, places), fc.tuple(integers, places), (price, quantity) => {
      assertQuote(trade(price, quantity));
    }),
    { numRuns: 2_000 },
  );
});

test('I3: no product just below a whole 1e-8 is rounded up to it', () => {
  let above = 0;
  for (let fraction = 99_999_999; fraction > 99_990_000; fraction -= 2) {
    if (fraction % 5 === 0) continue;
    const other = Number((ONE - inverse(BigInt(fraction))) % ONE);
    if (fraction * other > Number.MAX_SAFE_INTEGER) above++;
    assert.equal((BigInt(fraction) * BigInt(other)) % ONE, ONE - 1n);
    assertQuote(trade([0, fraction], [0, other]));
  }
  assert.ok(above > 100, 'products past 2^53 are among them');
});

const huge = fc.tuple(fc.integer({ min: 5 * 10 ** 14, max: 10 ** 15 - 1 }), places);

test('I3: sums far past 2^53 keep every digit', () => {
  fc.assert(
    fc.property(fc.array(huge, { minLength: 20, maxLength: 60 }), (quantities) => {
      const window = new CandleAccumulator();
      const quote = new QuoteValue();
      let volume = 0n;
      for (const quantity of quantities) {
        const each = trade([1, 1], quantity);
        quote.set(each);
        window.add(each, quote);
        volume += quantityOf(each);
      }
      assert.equal(window.candle(marketSymbol('A'), '1m', epochMs(0), true).volume, volume);
    }),
  );
});

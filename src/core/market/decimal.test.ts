// I3: decimal text → integer → text is the identity; what does not fit is refused, never rounded or wrapped.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../../test/property-seed.ts';
import fc from 'fast-check';
import { decimal, decimalOf, formatDecimal, parseDecimal } from './decimal.ts';

const text = (integerMax: bigint) =>
  fc
    .tuple(fc.bigInt(0n, integerMax), fc.integer({ min: 0, max: 99_999_999 }))
    .map(([integer, fraction]) => `${integer}.${String(fraction).padStart(8, '0')}`);

test('I3: prices from 0.00000001 to 10,000,000 keep every digit', () => {
  assert.equal(formatDecimal(decimal('0.00000001')), '0.00000001');
  assert.equal(formatDecimal(decimal('10000000.00000000')), '10000000.00000000');
  fc.assert(fc.property(text(10_000_000n), (price) => formatDecimal(decimal(price)) === price));
});

test('I3: a month of any coin’s volume keeps every digit, far past 64 bits', () => {
  fc.assert(fc.property(text(10n ** 24n), (volume) => formatDecimal(decimal(volume)) === volume));
});

test('I3: sums of volumes are exact and do not depend on their order', () => {
  fc.assert(
    fc.property(fc.array(text(10n ** 15n), { minLength: 1 }), (volumes) => {
      const sum = (texts: readonly string[]) =>
        texts.reduce((total, each) => total + decimal(each), 0n);
      assert.equal(sum(volumes), sum([...volumes].reverse()));
    }),
  );
});

test('missing places are zeros, zeros past the 8th say nothing, other digits there are refused', () => {
  assert.equal(parseDecimal('1'), 100_000_000n);
  assert.equal(parseDecimal('1.5'), 150_000_000n);
  assert.equal(parseDecimal('1.5000000000'), 150_000_000n);
  assert.equal(parseDecimal('1.500000001'), undefined);
  for (const bad of [
    '',
    '.5',
    '1.',
    '01',
    '-1',
    '+1',
    '1e5',
    ' 1',
    '1,5',
    'NaN',
    '0x1',
    '1'.repeat(41),
  ]) {
    assert.equal(parseDecimal(bad), undefined, bad);
  }
  assert.throws(() => decimal('1.500000001'), /at most 8 places, was "1.500000001"/);
});

test('two whole doubles make the same decimal as the text', () => {
  assert.equal(decimalOf(87_648, 21_000_000), decimal('87648.21'));
  assert.equal(
    decimalOf(Number.MAX_SAFE_INTEGER, 99_999_999),
    decimal('9007199254740991.99999999'),
  );
});

// Decimals for the eye keep every digit that is not a zero at the end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decimal, formatDecimal } from '../../src/core/market/decimal.ts';
import {
  changeText,
  groupThousands,
  shareText,
  splitThousands,
  trimDecimal,
} from './format-decimal.ts';

describe('trimDecimal', () => {
  it('cuts zeros down to the places wanted and adds those that miss', () => {
    assert.equal(trimDecimal('90241.10000000', 2), '90241.10');
    assert.equal(trimDecimal('90241.12345678', 2), '90241.12345678');
    assert.equal(trimDecimal('0.00001234', 8), '0.00001234');
    assert.equal(trimDecimal('7.00000000', 0), '7');
    assert.equal(trimDecimal('7', 2), '7.00');
  });

  it('never changes the value, for any decimal and any number of places', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), fc.nat(8), (value, digits) => {
        const shown = groupThousands(trimDecimal(formatDecimal(value), digits));
        assert.equal(decimal(shown.replaceAll(',', '')), value);
      }),
    );
  });
});

describe('groupThousands', () => {
  it('groups the whole part alone', () => {
    assert.equal(groupThousands('1234567.8901234'), '1,234,567.8901234');
    assert.equal(groupThousands('123.4567'), '123.4567');
    assert.deepEqual(splitThousands('90241.12'), ['90', '241.12']);
  });
});

describe('changeText', () => {
  it('has difference, percent and sign', () => {
    assert.deepEqual(changeText('100.00000000', '101.25000000', 2), {
      difference: '+1.25',
      percent: '+1.25%',
      sign: 1,
    });
    assert.deepEqual(changeText('90000.00000000', '88650.00000000', 2), {
      difference: '−1,350.00',
      percent: '−1.50%',
      sign: -1,
    });
  });

  it('is exact where floats are not', () => {
    assert.equal(changeText('0.30000000', '0.10000000', 1)?.difference, '−0.2');
  });

  it('has no sign and no percent of nothing', () => {
    assert.deepEqual(changeText('5.00000000', '5.00000000', 2), {
      difference: '0.00',
      percent: '0.00%',
      sign: 0,
    });
    assert.equal(changeText('0.00000000', '1.00000000', 0)?.percent, '0.00%');
    assert.equal(changeText('x', '1', 0), undefined);
  });
});

it('a share has one place and is empty of a whole that is zero', () => {
  assert.equal(shareText('1.00000000', '3.00000000'), '33.3%');
  assert.equal(shareText('0.00000000', '0.00000000'), '');
});

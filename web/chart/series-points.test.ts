// Points for the chart: gaps stay empty, incomplete candles look different, digits are those seen.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ROW_CLOSED } from '../../src/protocol/browser.ts';
import { PALETTES } from './palette.ts';
import { priceDigits, pricePoint, volumePoint } from './series-points.ts';
import { testRow } from './test-rows.ts';

const palette = PALETTES.dark;

describe('points', () => {
  it('an empty slot has a time and nothing else', () => {
    assert.deepEqual(pricePoint({ seconds: 60, row: undefined }, palette), { time: 60 });
    assert.deepEqual(volumePoint({ seconds: 60, row: undefined }, palette), { time: 60 });
  });

  it('an incomplete candle has a border of its own, a complete one the series’ colours', () => {
    const incomplete = testRow({ openTime: 0, flags: ROW_CLOSED });
    const marked = pricePoint({ seconds: 0, row: incomplete }, palette);
    assert.equal('borderColor' in marked && marked.borderColor, palette.incomplete);
    const plain = pricePoint({ seconds: 0, row: testRow({ openTime: 0 }) }, palette);
    assert.equal('borderColor' in plain, false);
  });

  it('volume has the colour of its candle’s direction', () => {
    const down = testRow({ openTime: 0, open: '2.00000000', close: '1.00000000' });
    const point = volumePoint({ seconds: 0, row: down }, palette);
    assert.equal('color' in point && point.color, palette.downVolume);
  });
});

describe('priceDigits', () => {
  it('counts the decimals that are not zeros at the end', () => {
    assert.equal(priceDigits([testRow({ openTime: 0, close: '0.00001234' })]), 8);
    assert.equal(priceDigits([testRow({ openTime: 0, close: '90241.10000000' })]), 1);
    assert.equal(priceDigits([testRow({ openTime: 0, close: '5.00000000' })]), 0);
  });

  it('only widens', () => {
    assert.equal(priceDigits([testRow({ openTime: 0, close: '5.00000000' })], 2), 2);
  });
});

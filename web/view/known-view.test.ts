// What the server lacks is named and replaced.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { knownView } from './known-view.ts';

const offer = { symbols: ['ETHUSDT', 'BTCUSDT'], intervals: ['1s', '1m', '1h'] as const };

it('is the wish where the server has it', () => {
  const wish = { symbol: 'BTCUSDT', interval: '1h' } as const;
  assert.deepEqual(knownView(wish, offer), { ...wish, faults: [] });
});

it('is the first symbol without a wish, and no fault', () => {
  assert.deepEqual(knownView({ symbol: undefined, interval: '1m' }, offer), {
    symbol: 'ETHUSDT',
    interval: '1m',
    faults: [],
  });
});

it('names the symbol and the interval the server lacks', () => {
  const { symbol, interval, faults } = knownView({ symbol: 'FOO', interval: '3d' }, offer);
  assert.equal(symbol, 'ETHUSDT');
  assert.equal(interval, '1m');
  assert.match(faults[0] ?? '', /“FOO”: showing ETHUSDT/);
  assert.match(faults[1] ?? '', /“3d”: showing 1m/);
});

it('says so where the server has no symbol at all', () => {
  const known = knownView({ symbol: 'FOO', interval: '1m' }, { ...offer, symbols: [] });
  assert.equal(known.symbol, undefined);
  assert.match(known.faults[0] ?? '', /nor any other/);
});

// Search finds what people type, best first, and not more than can be shown.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { matchSymbols, SYMBOLS_SHOWN_MAX } from './match-symbols.ts';

it('puts symbols that begin with the search first', () => {
  assert.deepEqual(matchSymbols(['WBTCUSDT', 'BTCUSDT', 'ETHUSDT'], 'btc').shown, [
    'BTCUSDT',
    'WBTCUSDT',
  ]);
});

it('takes the slash people write', () => {
  assert.deepEqual(matchSymbols(['BTCUSDT'], 'btc/usdt').shown, ['BTCUSDT']);
});

it('tells how many are left out', () => {
  const symbols = Array.from({ length: SYMBOLS_SHOWN_MAX + 7 }, (_, at) => `S${at}USDT`);
  const { shown, left } = matchSymbols(symbols, '');
  assert.equal(shown.length, SYMBOLS_SHOWN_MAX);
  assert.equal(left, 7);
});

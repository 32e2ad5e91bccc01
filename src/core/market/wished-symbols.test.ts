import assert from 'node:assert/strict';
import { test } from 'node:test';
import { marketSymbol } from './symbol.ts';
import type { EpochMs } from './time.ts';
import { wishedSymbols } from './wished-symbols.ts';

const [btc, eth, sol] = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'].map(marketSymbol) as [
  never,
  never,
  never,
];
const wish = (symbol: never, wanted: boolean) => ({ symbol, wanted, at: 1 as EpochMs });

test('a symbol that was removed stays removed though it is named; one that was added stays', () => {
  const wishes = [wish(eth, false), wish(sol, true)];
  assert.deepEqual(wishedSymbols([btc, eth], wishes), { named: [btc], wishes });
  assert.deepEqual(wishedSymbols([eth], wishes).named, []);
});

test('where nothing would be left, what is named counts', () => {
  assert.deepEqual(wishedSymbols([btc], [wish(btc, false)]), { named: [btc], wishes: [] });
});

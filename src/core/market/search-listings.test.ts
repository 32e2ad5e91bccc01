import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listing } from './listing.ts';
import { searchListings } from './search-listings.ts';
import { marketSymbol } from './symbol.ts';

const listing = (base: string, quote: string, status = 'TRADING'): Listing => ({
  symbol: marketSymbol(base + quote),
  baseAsset: base,
  quoteAsset: quote,
  status,
});
const all = [
  listing('BETH', 'ETH'),
  listing('ETHFI', 'USDT'),
  listing('ETH', 'USDT'),
  listing('ETH', 'BTC', 'BREAK'),
  listing('BTC', 'USDT'),
];
const found = (query: string, limit = 10) =>
  searchListings(all, query, limit).map(({ symbol }) => symbol);

test('the asset itself comes before what begins or ends so, and what trades before what does not', () => {
  assert.deepEqual(found('eth'), ['ETHUSDT', 'ETHFIUSDT', 'BETHETH', 'ETHBTC']);
});

test('a whole symbol comes first, however it is written', () => {
  assert.equal(found('eth/btc')[0], 'ETHBTC');
  assert.equal(found(' BtcUsdt ')[0], 'BTCUSDT');
});

test('an empty query finds everything up to the limit; nonsense finds nothing', () => {
  assert.equal(found('').length, 5);
  assert.equal(found('', 2).length, 2);
  assert.deepEqual(found('nosuch'), []);
});

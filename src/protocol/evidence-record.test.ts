// Evidence, repair requests, audits, listings and wishes: decode(encode(x)) = x.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Audit } from '../core/audit/audit.ts';
import type { Candle } from '../core/market/candle.ts';
import { decimal } from '../core/market/decimal.ts';
import type { Evidence, RepairRequest } from '../core/market/evidence.ts';
import { marketSymbol } from '../core/market/symbol.ts';
import { epochMs } from '../core/market/time.ts';
import { DecodeError } from './decode-error.ts';
import { AUDITS, EVIDENCE, LISTINGS, REPAIRS, SYMBOLS } from './topics.ts';

const symbol = marketSymbol('ETHBTC');
const openTime = epochMs(1_767_225_600_000);
const candle: Candle = {
  symbol,
  interval: '1m',
  openTime,
  closeTime: epochMs(openTime + 59_999),
  open: decimal('0.03'),
  high: decimal('0.031'),
  low: decimal('0.029'),
  close: decimal('0.0305'),
  volume: decimal('12.3456'),
  quoteVolume: decimal('0.37012345'),
  trades: 3,
  takerBuyVolume: decimal('0'),
  takerBuyQuoteVolume: decimal('0'),
  firstTradeId: undefined,
  lastTradeId: undefined,
  revision: 0,
  complete: true,
  source: 'klines',
};

const EVIDENCES: readonly Evidence[] = [
  { type: 'kline', via: 'rest', candle },
  { type: 'kline', via: 'stream', candle: { ...candle, firstTradeId: -1, lastTradeId: -1 } },
  { type: 'absent', symbol, openTime },
  { type: 'repaired', symbol, openTime },
  { type: 'unrepairable', symbol, openTime, reason: 'too old' },
];
const REQUESTS: readonly RepairRequest[] = [
  { type: 'klines', symbol, from: openTime, to: epochMs(openTime + 60_000) },
  { type: 'trades', symbol, openTime },
  { type: 'rounding', candle },
];
const AUDIT: Audit = {
  symbol,
  openTime,
  verdict: 'verified',
  revision: 0,
  rounding: true,
  at: openTime,
};
const DIFFERS: Audit = {
  ...AUDIT,
  verdict: 'differs',
  reason: 'trades',
  ours: candle,
  theirs: candle,
};

test('what is written is read again the same', () => {
  for (const one of EVIDENCES) assert.deepEqual(EVIDENCE.decode(EVIDENCE.encode(one)), one);
  for (const one of REQUESTS) assert.deepEqual(REPAIRS.decode(REPAIRS.encode(one)), one);
  for (const one of [AUDIT, DIFFERS]) assert.deepEqual(AUDITS.decode(AUDITS.encode(one)), one);
  const listing = { symbol, baseAsset: 'ETH', quoteAsset: 'BTC', status: 'TRADING' };
  assert.deepEqual(LISTINGS.decode(LISTINGS.encode(listing)), listing);
  const wish = { symbol, wanted: true, at: openTime };
  assert.deepEqual(SYMBOLS.decode(SYMBOLS.encode(wish)), wish);
});

test('what is none is refused, with what was expected', () => {
  assert.throws(() => EVIDENCE.decode('{"type":"rumour"}'), DecodeError);
  assert.throws(() => REPAIRS.decode('{"type":"trades","symbol":"ETHBTC"}'), /openTime/);
  assert.throws(() => AUDITS.decode('{}'), /an audit/);
});

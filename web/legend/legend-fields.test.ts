// The legend says every field of a candle as it came.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ROW_CLOSED, ROW_COMPLETE, ROW_FROM_KLINES } from '../../src/protocol/browser.ts';
import { testRow } from '../chart/test-rows.ts';
import { UTC } from '../chart/wall-clock.ts';
import { LEGEND_KEYS, legendOf, NO_LEGEND, splitSymbol } from './legend-fields.ts';

const view = { interval: '1m', zone: UTC, digits: 2 } as const;

describe('legendOf', () => {
  it('says all fields, digits as they came', () => {
    const row = testRow({
      openTime: Date.parse('2026-01-02T03:04:00Z'),
      open: '90241.12000000',
      high: '90300.00000000',
      low: '90200.50000000',
      close: '90250.00000000',
      volume: '12.34567890',
      takerBuyVolume: '6.17283945',
      firstTradeId: 4_100_000_001,
      lastTradeId: 4_100_000_003,
    });
    const legend = legendOf(row, view);
    assert.equal(legend.time, '2 Jan 2026, 03:04');
    assert.equal(legend.direction, 'up');
    assert.deepEqual(legend.texts, {
      open: '90,241.12',
      high: '90,300.00',
      low: '90,200.50',
      close: '90,250.00',
      change: '+8.88 (+0.01%)',
      volume: '12.3456789',
      quoteVolume: '200',
      trades: '3',
      takerBuyVolume: '6.17283945 (50.0%)',
      takerBuyQuoteVolume: '100 (50.0%)',
      firstTradeId: '4100000001',
      lastTradeId: '4100000003',
      revision: '0',
      complete: 'yes',
      source: 'trades',
    });
  });

  it('says what is open, incomplete, corrected, or from klines', () => {
    const legend = legendOf(testRow({ openTime: 0, revision: 2, flags: ROW_FROM_KLINES }), view);
    assert.equal(legend.isClosed, false);
    assert.equal(legend.isComplete, false);
    assert.equal(legend.isCorrected, true);
    assert.equal(legend.texts.complete, 'no, trades missing');
    assert.equal(legend.texts.revision, '2, corrected');
    assert.equal(legend.texts.source, 'klines');
  });

  it('tells a window without trades from ids that are not known', () => {
    const flags = ROW_CLOSED | ROW_COMPLETE;
    const quiet = testRow({ openTime: 0, firstTradeId: -1, lastTradeId: -1, flags });
    assert.equal(legendOf(quiet, view).texts.firstTradeId, 'none');
    const unknown = testRow({ openTime: 0, firstTradeId: null, lastTradeId: null, flags });
    assert.equal(legendOf(unknown, view).texts.lastTradeId, 'unknown');
  });

  it('has a place for every field before the first candle', () => {
    assert.deepEqual(Object.keys(NO_LEGEND.texts), [...LEGEND_KEYS]);
  });
});

it('splits a symbol for the eye where its quote asset is known', () => {
  assert.deepEqual(splitSymbol('BTCUSDT'), { base: 'BTC', quote: 'USDT' });
  assert.deepEqual(splitSymbol('BTCFDUSD'), { base: 'BTC', quote: 'FDUSD' });
  assert.deepEqual(splitSymbol('USDT'), { base: 'USDT', quote: '' });
  assert.deepEqual(splitSymbol('QQQXXX'), { base: 'QQQXXX', quote: '' });
});

// A link reopens the view it was copied from; what it can't mean is named.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { INTERVALS } from '../../src/core/market/interval.ts';
import { DEFAULT_INTERVAL, readUrl, writeUrl } from './url-state.ts';

describe('readUrl', () => {
  it('reads nothing from an empty query', () => {
    assert.deepEqual(readUrl(''), {
      symbol: undefined,
      interval: DEFAULT_INTERVAL,
      range: undefined,
      faults: [],
    });
  });

  it('upper-cases the symbol', () => {
    assert.equal(readUrl('?symbol=btcusdt').symbol, 'BTCUSDT');
  });

  it('names what it can’t read and falls back', () => {
    const view = readUrl('?symbol=%3Cb%3E&interval=7q');
    assert.equal(view.symbol, undefined);
    assert.equal(view.interval, DEFAULT_INTERVAL);
    assert.equal(view.faults.length, 2);
    assert.match(view.faults[1] ?? '', /7q/);
  });

  it('leaves out a range that is none', () => {
    for (const query of ['?from=5', '?from=9&to=5', '?from=-1&to=5', '?from=x&to=5']) {
      assert.equal(readUrl(query).range, undefined, query);
    }
  });
});

describe('writeUrl', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('BTCUSDT', '币安人生USDT', '1000SATSUSDT'),
        fc.constantFrom(...INTERVALS),
        fc.option(fc.tuple(fc.nat(1e9), fc.integer({ min: 1, max: 1e9 })), { nil: undefined }),
        (symbol, interval, edges) => {
          const range = edges && { from: edges[0], to: edges[0] + edges[1] };
          const view = readUrl(writeUrl('', { symbol, interval, range }));
          assert.deepEqual(view, { symbol, interval, range, faults: [] });
        },
      ),
    );
  });

  it('drops the range at the live edge and keeps what else is in the address', () => {
    const view = { symbol: 'BTCUSDT', interval: '1m', range: undefined } as const;
    assert.equal(writeUrl('?bench=1&from=1&to=2', view), '?bench=1&symbol=BTCUSDT&interval=1m');
  });
});

// The tab's title warns before it tells a price.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { PageStatus } from '../status/page-status.ts';
import { pageTitle } from './page-title.ts';

const live: PageStatus = {
  state: 'live',
  word: 'Live',
  tone: 'good',
  isCurrent: true,
  since: undefined,
  reason: undefined,
};
const price = { text: '90241.12', direction: 'up', change: '' } as const;

it('has the live price first', () => {
  const title = pageTitle({ symbol: 'BTCUSDT', price, page: live, badge: undefined });
  assert.equal(title, '90,241.12 ▲ BTCUSDT – Wickstream');
});

it('has the badge of a simulated market before everything', () => {
  const title = pageTitle({ symbol: 'BTCUSDT', price, page: live, badge: 'SIMULATED' });
  assert.ok(title.startsWith('[SIMULATED] 90,241.12'));
});

it('warns where the price is not current', () => {
  const page: PageStatus = { ...live, state: 'stale', word: 'Stale', isCurrent: false };
  const title = pageTitle({ symbol: 'BTCUSDT', price, page, badge: undefined });
  assert.equal(title, '⚠ Stale · 90,241.12 BTCUSDT – Wickstream');
});

it('has no price before the first candle', () => {
  const none = { ...price, text: '' };
  assert.equal(
    pageTitle({ symbol: undefined, price: none, page: live, badge: undefined }),
    'Wickstream',
  );
});

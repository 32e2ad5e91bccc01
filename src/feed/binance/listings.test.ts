import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listing } from '../../core/market/listing.ts';
import { manualClock } from '../../stages/serve/testing/manual-clock.ts';
import { FeedError } from '../market-feed.ts';
import {
  followListings,
  LISTINGS_AFTER_MS,
  LISTINGS_INTERVAL_MS,
  LISTINGS_RETRY_MS,
} from './listings.ts';
import type { RestAnswer } from './rest-request.ts';

const symbol = (name: string) => ({
  symbol: name,
  baseAsset: name.slice(0, 3),
  quoteAsset: 'USDT',
  status: 'TRADING',
});

test('a refusal is told, and what is listed asked for again soon; an answer lasts for hours', async () => {
  const clock = manualClock();
  const stop = new AbortController();
  const told: (readonly Listing[])[] = [];
  const warned: string[] = [];
  const answers: unknown[] = [
    new FeedError('refused', 'Please log in'),
    { symbols: 'none' },
    { symbols: [symbol('BTCUSDT')] },
    { symbols: [symbol('BTCUSDT'), symbol('ETHUSDT')] },
  ];
  let asked = 0;
  const following = followListings({
    requester: {
      async ask() {
        const value = answers[asked++];
        if (value instanceof Error) throw value;
        return { value } as RestAnswer;
      },
    },
    clock,
    onListings: (listings) => told.push(listings),
    logger: { warn: (message) => warned.push(message) },
    signal: stop.signal,
  });
  await clock.advance(LISTINGS_AFTER_MS + 2 * LISTINGS_RETRY_MS);
  assert.equal(warned.length, 2);
  assert.match(warned[0] ?? '', /Please log in/);
  assert.deepEqual(
    told.map((listings) => listings.length),
    [1],
  );
  await clock.advance(LISTINGS_INTERVAL_MS - 1);
  assert.equal(asked, 3);
  await clock.advance(1);
  assert.deepEqual(
    told.map((listings) => listings.length),
    [1, 2],
  );
  stop.abort();
  await following;
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BackfillView } from '../../src/protocol/backfill.ts';
import { UTC } from '../chart/wall-clock.ts';
import { type CardInput, type GapCard, gapCard } from './gap-card.ts';
import type { MissingSpan } from './missing-span.ts';

const FROM = Date.UTC(2026, 0, 14, 14, 5);
const TO = Date.UTC(2026, 0, 14, 14, 40);

const missing = (change: Partial<MissingSpan> = {}): MissingSpan => ({
  kind: 'gap',
  gap: { from: FROM, to: TO },
  fetch: { from: FROM, to: TO },
  windows: 35,
  isAsked: false,
  openTime: undefined,
  x: 0,
  ...change,
});

const card = (change: Partial<CardInput> = {}): GapCard | undefined =>
  gapCard({
    symbol: 'BTCUSDT',
    interval: '1m',
    zone: UTC,
    missing: missing(),
    canFetch: true,
    running: undefined,
    failed: undefined,
    ...change,
  });

const running = (change: Partial<BackfillView> = {}): BackfillView => ({
  id: '1',
  symbol: 'ETHUSDT',
  interval: '1h',
  from: FROM,
  to: TO,
  state: 'running',
  candles: 0,
  windows: 0,
  windowsTotal: 0,
  ...change,
});

describe('gapCard', () => {
  it('names a gap and offers it', () => {
    assert.equal(card()?.title, 'No candles from 14 Jan 2026, 14:05 to 14:40');
    const longer = missing({ gap: { from: FROM, to: TO + 86_400_000 } });
    const title = 'No candles from 14 Jan 2026, 14:05 to 15 Jan 2026, 14:40';
    assert.equal(card({ missing: longer })?.title, title);
    assert.equal(card()?.label, 'Fetch 35 missing minutes');
  });

  it('counts in the words of the interval', () => {
    for (const [interval, windows, label] of [
      ['1m', 1, 'Fetch 1 missing minute'],
      ['5m', 7, 'Fetch 7 missing 5m candles'],
      ['1h', 12_345, 'Fetch 12,345 missing hours'],
      ['1M', 3, 'Fetch about 3 missing months'],
    ] as const) {
      assert.equal(card({ interval, missing: missing({ windows }) })?.label, label);
    }
  });

  it('says nothing of a gap that nobody can fill: its hatch does', () => {
    assert.equal(card({ canFetch: false }), undefined);
    assert.equal(card({ missing: missing({ windows: 0 }) }), undefined);
    assert.equal(card({ missing: undefined }), undefined);
  });

  it('says that nothing is as old as what was asked for, whether or not it can be fetched', () => {
    const sought = missing({
      kind: 'sought',
      gap: { from: 0, to: TO },
      openTime: Date.UTC(2021, 2, 10),
      windows: 100_000,
      fetch: { from: Date.UTC(2021, 2, 9, 22), to: Date.UTC(2021, 4, 18) },
    });
    const shown = card({ missing: sought });
    const title =
      'Nothing here is as old as 10 Mar 2021, 00:00: this is the oldest candle, of 14 Jan 2026, 14:40';
    assert.equal(shown?.title, title);
    assert.equal(shown?.label, 'Fetch 100,000 minutes from 9 Mar 2021, 22:00 on');
    const bare = card({ missing: sought, canFetch: false });
    assert.deepEqual([bare?.title, bare?.label], [title, undefined]);
  });

  it('says what the exchange itself lacks, and offers nothing there', () => {
    const shown = card({ missing: missing({ isAsked: true }) });
    assert.equal(
      shown?.title,
      'The exchange itself has no candles from 14 Jan 2026, 14:05 to 14:40',
    );
    assert.equal(shown?.label, undefined);
    const older = missing({ kind: 'older', gap: { from: 0, to: TO }, isAsked: true });
    assert.equal(
      card({ missing: older })?.title,
      'The exchange itself has no candles before 14 Jan 2026, 14:40',
    );
  });

  it('tells how far it is, also from another symbol, and how to end it', () => {
    const begun = card({ running: running() });
    assert.deepEqual([begun?.title, begun?.note], ['Fetching ETHUSDT 1h', '']);
    assert.equal(begun?.progress, undefined);
    const half = card({ running: running({ windows: 1_000, windowsTotal: 2_000 }) });
    assert.equal(half?.note, '1,000 of 2,000 hours');
    assert.equal(half?.progress, 0.5);
    assert.deepEqual([half?.label, half?.isRunning], ['Cancel', true]);
  });

  it('says why it failed, and offers it again; of another gap it says nothing', () => {
    const failed = { span: { from: FROM, to: TO }, reason: 'the exchange refuses us' };
    const shown = card({ failed });
    assert.equal(shown?.note, 'It could not be fetched: the exchange refuses us');
    assert.equal(shown?.label, 'Try again: Fetch 35 missing minutes');
    assert.equal(card({ failed: { ...failed, span: { from: 0, to: 1 } } })?.note, '');
  });
});

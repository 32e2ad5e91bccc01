import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BACKFILL_LAG_MS, BACKFILL_WINDOWS_MAX } from '../../src/protocol/backfill.ts';
import {
  EXCHANGE_BEGAN_MS,
  type GapView,
  type MissingSpan,
  missingSpan,
  OLDER_WINDOWS,
} from './missing-span.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 0, 14, 10);
const ago = (minutes: number) => NOW - minutes * MINUTE;

const seen = (change: Partial<GapView> = {}): MissingSpan | undefined =>
  missingSpan({
    interval: '1m',
    middleX: 500,
    gaps: [],
    oldest: undefined,
    sought: undefined,
    slots: 100,
    now: NOW,
    askedSpans: [],
    ...change,
  });

const gap = (from: number, to: number, x = 500) => ({ from: ago(from), to: ago(to), x });

describe('missingSpan', () => {
  it('is a gap in view, all of it, counted in windows of the interval', () => {
    const found = seen({ gaps: [gap(400, 88)] });
    assert.equal(found?.kind, 'gap');
    assert.deepEqual(found?.fetch, { from: ago(400), to: ago(88) });
    assert.equal(found?.windows, 312);
    assert.equal(seen({ interval: '1h', gaps: [gap(600, 240)] })?.windows, 6);
    assert.equal(seen(), undefined);
  });

  it('is of several gaps the one nearest to the middle', () => {
    const gaps = [gap(900, 800, 100), gap(500, 450, 520), gap(300, 200, 900)];
    assert.equal(seen({ gaps })?.windows, 50);
  });

  it('is no more than may be asked for at once: the newest part', () => {
    const longer = BACKFILL_WINDOWS_MAX + 5_000;
    const found = seen({ gaps: [gap(longer + 88, 88)] });
    assert.equal(found?.windows, BACKFILL_WINDOWS_MAX);
    assert.equal(found?.fetch.to, ago(88));
    assert.equal(found?.gap.from, ago(longer + 88));
  });

  it('leaves the newest minutes to the stream', () => {
    const lag = BACKFILL_LAG_MS / MINUTE;
    assert.equal(seen({ gaps: [gap(lag + 5, lag - 5)] })?.windows, 5);
    assert.equal(seen({ gaps: [gap(lag - 2, 1)] })?.windows, 0);
  });

  it('is what is older than the oldest candle, where that is in view and nothing else is missing', () => {
    const older = seen({ oldest: ago(1_500) });
    assert.equal(older?.kind, 'older');
    assert.equal(older?.windows, OLDER_WINDOWS);
    assert.equal(older?.fetch.to, ago(1_500));
    assert.equal(seen({ oldest: ago(1_500), gaps: [gap(400, 300)] })?.kind, 'gap');
  });

  it('is nothing before the exchange’s first day', () => {
    const day = 24 * 60 * MINUTE;
    const older = seen({ interval: '1d', oldest: EXCHANGE_BEGAN_MS + 30 * day });
    assert.equal(older?.windows, 30);
    assert.equal(seen({ interval: '1d', oldest: EXCHANGE_BEGAN_MS }), undefined);
    assert.equal(seen({ interval: '1M', oldest: Date.UTC(2017, 7, 1) }), undefined);
  });

  it('begins a screen before the moment that was asked for', () => {
    const openTime = ago(6_000);
    const found = seen({ sought: { openTime, gap: { from: 0, to: ago(1_500) } } });
    assert.equal(found?.kind, 'sought');
    assert.deepEqual(found?.fetch, { from: ago(6_100), to: ago(1_500) });
    const within = { openTime, gap: { from: ago(6_010), to: ago(5_000) } };
    assert.deepEqual(seen({ sought: within })?.fetch, { from: ago(6_010), to: ago(5_000) });
    const unknown = { openTime, gap: { from: ago(6_010), to: undefined } };
    assert.equal(seen({ sought: unknown }), undefined, 'the candle behind it is on its way');
    const far = { openTime: ago(900_000), gap: { from: 0, to: ago(1_500) } };
    const part = seen({ sought: far });
    assert.equal(part?.fetch.from, ago(900_100));
    assert.equal(part?.windows, BACKFILL_WINDOWS_MAX);
  });

  it('knows where the exchange was asked and has none, and prefers what can be had', () => {
    const askedSpans = [{ from: ago(520), to: ago(440) }];
    const inVain = gap(500, 450, 510);
    assert.equal(seen({ gaps: [inVain], askedSpans })?.isAsked, true);
    assert.equal(seen({ gaps: [inVain] })?.isAsked, false);
    const found = seen({ gaps: [inVain, gap(300, 200, 900)], askedSpans });
    assert.deepEqual([found?.isAsked, found?.windows], [false, 100]);
    const wider = seen({ gaps: [gap(530, 450)], askedSpans });
    assert.equal(wider?.isAsked, false, 'not all of it was asked for');
  });

  it('fetches no seconds that were removed', () => {
    const second = { interval: '1s', now: NOW } as const;
    assert.equal(seen({ ...second, oldest: ago(1_440) })?.windows, 0);
    assert.equal(seen({ ...second, gaps: [gap(400, 399)] })?.windows, 60);
  });
});

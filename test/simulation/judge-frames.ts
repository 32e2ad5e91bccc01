// What one process sent on its own `@kline` streams: `x:true` once for each candle that closed, and right.
import { INTERVALS, type Interval, isInterval } from '../../src/core/market/interval.ts';
import { shortened } from './difference.ts';
import type { Plan } from './plan.ts';
import type { ClosedFrame, SimProduct } from './sim-product.ts';
import { textOf } from './sim-product.ts';
import type { Truth } from './truth.ts';

/** So long an incomplete candle waits for its repair. */
const HELD_BACK_MS = 10 * 60_000;

export function judgeFrames(product: SimProduct, truth: Truth, plan: Plan): string[] {
  const { life, published, closedFrames } = product;
  const failures: string[] = [];
  const sent = new Set<string>();
  const incomplete = new Set(
    published
      .filter(({ candle }) => candle.revision === 0 && !candle.complete)
      .map(({ candle }) => keyOf(candle.symbol, candle.interval, candle.openTime)),
  );
  for (const frame of closedFrames) {
    const key = keyOf(String(frame.k['s']), String(frame.k['i']), Number(frame.k['t']));
    if (sent.has(key)) failures.push(`Process ${life.number} sent x:true twice: ${key}`);
    sent.add(key);
    const difference = frameDifference(frame, truth);
    // A candle with a hole known of is held back for its repair, and after some minutes sent as it is.
    const isGivenUp = incomplete.has(key) && frame.at - Number(frame.k['T']) >= HELD_BACK_MS;
    if (difference !== undefined && !isGivenUp) {
      failures.push(`Process ${life.number} sent a wrong x:true: ${key}, ${difference}`);
    }
  }
  const endedAt = life.endedAt();
  const whole = new Set(
    published
      .filter(({ candle }) => candle.complete)
      .map(({ candle }) => keyOf(candle.symbol, candle.interval, candle.openTime)),
  );
  /** Of a hole whose repair this process has not lived to see. */
  const isHeldBack = (key: string, at: number) =>
    incomplete.has(key) && !whole.has(key) && at + HELD_BACK_MS > (endedAt ?? plan.end);
  for (const { at, candle } of published) {
    const { symbol, interval, openTime, closeTime, revision } = candle;
    const isListenedTo = plan.klineIntervals.includes(interval);
    const isDue = isListenedTo && revision === 0 && closeTime >= newsFrom(product);
    // At the very moment of its death the log may have what the streams have not read yet.
    const key = keyOf(symbol, interval, openTime);
    if (!isDue || at === endedAt || sent.has(key) || isHeldBack(key, at)) continue;
    failures.push(`Process ${life.number} sent no x:true: ${textOf(candle)}`);
  }
  return shortened(failures);
}

/** What closes from here on is news. A machine whose clock was set before the exchange was heard of cannot know when its process began. */
function newsFrom({ startedAt, live, life }: SimProduct): number {
  const firstLive = live[0]?.from ?? Number.POSITIVE_INFINITY;
  const wasSet = life.clockSetAt().some((at) => at >= startedAt && at <= firstLive);
  return wasSet ? firstLive : startedAt;
}

function keyOf(symbol: string, interval: string, openTime: number): string {
  return `${symbol} ${interval} ${new Date(openTime).toISOString()}`;
}

function frameDifference({ k }: ClosedFrame, truth: Truth): string | undefined {
  const interval: Interval = isInterval(String(k['i'])) ? (k['i'] as Interval) : INTERVALS[0];
  const expected = truth.find(String(k['s']), interval, Number(k['t']));
  if (expected === undefined) return 'the exchange has none';
  const fields: Record<string, string | number> = {
    T: expected.closeTime,
    o: expected.open,
    h: expected.high,
    l: expected.low,
    c: expected.close,
    v: expected.volume,
    n: expected.trades,
    q: expected.quoteVolume,
    V: expected.takerBuyVolume,
    Q: expected.takerBuyQuoteVolume,
  };
  const wrong = Object.entries(fields).filter(([field, value]) => k[field] !== value);
  if (wrong.length === 0) return undefined;
  return wrong.map(([field, value]) => `${field} is ${k[field]}, not ${value}`).join('; ');
}

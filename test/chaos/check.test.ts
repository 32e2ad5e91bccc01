// The chaos suite's own eyes: each kind of wrong frame and wrong candle is seen, and what is right is not called wrong.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { storePath } from '../../src/app/open-store.ts';
import type { Candle } from '../../src/core/market/candle.ts';
import { epochMs } from '../../src/core/market/time.ts';
import { binanceSource } from '../../src/feed/binance/feed.ts';
import { decodeCandle } from '../../src/protocol/candle-record.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Interval } from '../fake-exchange/calendar.ts';
import { MINUTE } from '../fake-exchange/calendar.ts';
import { manualClock } from '../fake-exchange/clock.ts';
import { createFakeExchange, type FakeExchange } from '../fake-exchange/fake-exchange.ts';
import { klineEvent } from '../fake-exchange/frames.ts';
import { generateTrades } from '../fake-exchange/generate.ts';
import type { TruthCandle } from '../fake-exchange/truth.ts';
import { compareStore, frameFaults, type Truth, truthOf } from './check.ts';
import type { ClosedFrame } from './kline-watch.ts';

const SYMBOL = 'BTCUSDT';
const FROM = Date.UTC(2026, 0, 1);
const TO = FROM + 4 * MINUTE;

async function withTruth(
  act: (exchange: FakeExchange, truth: Truth) => Promise<void> | void,
): Promise<void> {
  const trades = generateTrades({ seed: 1, from: FROM, to: TO, tradesPerSecond: 1 });
  await using exchange = await createFakeExchange({
    symbols: [{ symbol: SYMBOL, trades, onboardTime: FROM }],
    clock: manualClock(TO + MINUTE),
  });
  await act(exchange, truthOf(exchange, [SYMBOL], TO));
}

function allCandles(truth: Truth): [interval: Interval, candle: TruthCandle][] {
  return [...truth].flatMap(([key, candles]) =>
    [...candles.values()].map((candle): [Interval, TruthCandle] => [
      key.split(' ')[1] as Interval,
      candle,
    ]),
  );
}

function rightFrames(truth: Truth): ClosedFrame[] {
  return allCandles(truth).map(([interval, candle]) => {
    const { k } = JSON.parse(klineEvent(SYMBOL, interval, candle, true, candle.closeTime));
    return { symbol: SYMBOL, interval, openTime: candle.openTime, k };
  });
}

function faultsOf(truth: Truth, frames: readonly ClosedFrame[], isLast = true): string[] {
  const watch = { openedAt: FROM - MINUTE, frames, cut: undefined };
  return frameFaults(watch, truth, TO, isLast);
}

describe('closed frames', () => {
  test('each window once, in order and right, is no fault', () =>
    withTruth((_, truth) => assert.deepEqual(faultsOf(truth, rightFrames(truth)), [])));

  const isSecondMinute = ({ interval, openTime }: ClosedFrame) =>
    interval === '1m' && openTime === FROM + MINUTE;
  const wrongs: Record<string, [(frames: ClosedFrame[]) => ClosedFrame[], RegExp]> = {
    'a missing one': [(frames) => frames.filter((each) => !isSecondMinute(each)), /no x:true/],
    'one sent twice': [
      (frames) => frames.flatMap((each) => (isSecondMinute(each) ? [each, each] : [each])),
      /x:true 2 times/,
    ],
    'a wrong volume': [
      (frames) =>
        frames.map((each) =>
          isSecondMinute(each) ? { ...each, k: { ...each.k, v: '1.00000000' } } : each,
        ),
      /x:true has v 1.00000000/,
    ],
    'one of a window that is none': [
      (frames) => [...frames, { ...(frames[0] as ClosedFrame), openTime: FROM + MINUTE / 2 + 1 }],
      /x:true, and the exchange has none/,
    ],
    'two in the wrong order': [
      (frames) => frames.toSorted((one, two) => two.openTime - one.openTime),
      /came after that of/,
    ],
  };
  for (const [name, [spoil, expected]] of Object.entries(wrongs)) {
    test(`${name} is seen`, () =>
      withTruth((_, truth) => {
        assert.match(faultsOf(truth, spoil(rightFrames(truth))).join('\n'), expected);
      }));
  }

  test('a life that was cut short owes what came before its last frame, no more', () =>
    withTruth((_, truth) => {
      const early = rightFrames(truth).filter(({ openTime }) => openTime < FROM + MINUTE);
      assert.deepEqual(faultsOf(truth, early, false), []);
      assert.notDeepEqual(faultsOf(truth, early, true), []);
    }));
});

describe('stored candles', () => {
  async function differences(spoil: (candles: Candle[]) => Candle[]): Promise<string[]> {
    const dataDir = await mkdtemp(join(tmpdir(), 'wickstream-check-'));
    let found: readonly string[] = [];
    await withTruth(async (exchange, truth) => {
      const source = binanceSource({
        restUrls: [exchange.restUrl],
        webSocketUrls: [exchange.wsUrl],
      });
      const candles = allCandles(truth).map(([interval, candle]) => storedCandle(interval, candle));
      const store = await openSqliteStore({ path: storePath(dataDir, source), source });
      await store.write(spoil(candles));
      await store.writeAudits(
        candles
          .filter(({ interval }) => interval === '1m')
          .slice(1)
          .map(({ symbol, openTime }) => ({
            symbol,
            openTime,
            verdict: 'verified',
            revision: 0,
            rounding: false,
            at: epochMs(TO),
          })),
      );
      await store[Symbol.asyncDispose]();
      found = (await compareStore(exchange, dataDir, truth)).differences;
    });
    await rm(dataDir, { recursive: true, force: true });
    return [...found];
  }

  function storedCandle(interval: Interval, candle: TruthCandle): Candle {
    const rest = { revision: 0, complete: true, source: 'trades' };
    return decodeCandle(JSON.stringify({ symbol: SYMBOL, interval, ...candle, ...rest }));
  }

  test('a minute without a verdict is seen, and nothing else where all is right', async () => {
    const found = await differences((candles) => candles);
    assert.equal(found.length, 1);
    assert.match(found[0] ?? '', /BTCUSDT 1m 2026-01-01T00:00:00.000Z: audit says undefined/);
  });

  test('a verdict on an earlier revision is seen', async () => {
    const found = await differences((candles) =>
      candles.map((each) =>
        each.interval === '1m' && each.openTime === FROM + MINUTE ? { ...each, revision: 1 } : each,
      ),
    );
    assert.match(found.join('\n'), /00:01:00.000Z: audit says verified of revision 0/);
  });

  test('a missing, a wrong and an incomplete candle are seen', async () => {
    const found = await differences((candles) =>
      candles
        .filter(({ interval, openTime }) => interval !== '3m' || openTime !== FROM)
        .map((each) => {
          if (each.interval !== '1m') return each;
          if (each.openTime === FROM + MINUTE) return { ...each, trades: each.trades + 1 };
          return each.openTime === FROM + 2 * MINUTE ? { ...each, complete: false } : each;
        }),
    );
    const text = found.join('\n');
    assert.match(text, /BTCUSDT 3m 2026-01-01T00:00:00.000Z: missing/);
    assert.match(text, /BTCUSDT 1m 2026-01-01T00:01:00.000Z: trades is/);
    assert.match(text, /BTCUSDT 1m 2026-01-01T00:02:00.000Z: not complete/);
  });
});

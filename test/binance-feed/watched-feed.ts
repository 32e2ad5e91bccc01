// Reads a Binance feed against a fake exchange and waits for what comes. Its clock runs from the exchange's time on; waits last 10 ms at most, so that no test sleeps.
import assert from 'node:assert/strict';
import type { AggTrade } from '../../src/core/market/agg-trade.ts';
import type { Candle } from '../../src/core/market/candle.ts';
import { type RawTick, symbolOfTick, type Watermark } from '../../src/core/market/raw-tick.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import type { Clock, EpochMs } from '../../src/core/market/time.ts';
import { type BinanceFeedOptions, binanceFeed } from '../../src/feed/binance/feed.ts';
import type { FeedEvent, MarketFeed, StartPoint } from '../../src/feed/market-feed.ts';
import type { FakeExchange } from '../fake-exchange/fake-exchange.ts';

export interface WatchedFeed extends AsyncDisposable {
  readonly feed: MarketFeed;
  readonly events: readonly FeedEvent[];
  /** Resolves when `holds` of all that came; rejects when the stream ends or 20 s (real) pass. */
  until(holds: () => boolean, what: string): Promise<void>;
  /** Until every symbol is live. */
  live(): Promise<void>;
  state(): string | undefined;
  ticks(symbol?: string): readonly RawTick[];
  trades(symbol?: string): readonly AggTrade[];
  watermarks(symbol?: string): readonly Watermark[];
  klines(interval: string, symbol?: string): readonly Candle[];
  /** Rejects with what the stream threw. */
  readonly ended: Promise<void>;
}

const DEADLINE_MS = 20_000;
const SLEEP_MS_MAX = 10;

export interface WatchOptions extends Partial<BinanceFeedOptions> {
  readonly symbols?: readonly string[];
  readonly resumeFrom?: number;
  readonly oldestHole?: StartPoint['oldestHole'];
  /** Called with each event before the next is read. */
  readonly onEvent?: (event: FeedEvent) => Promise<void>;
}

export function watchFeed(exchange: FakeExchange, options: WatchOptions = {}): WatchedFeed {
  const { symbols = ['BTCUSDT'], resumeFrom, oldestHole, onEvent, ...rest } = options;
  const feed = binanceFeed({
    restUrls: [exchange.restUrl],
    webSocketUrls: [exchange.wsUrl],
    clock: exchangeClock(exchange),
    random: () => 0.5,
    logger: { info() {}, warn() {} },
    ...rest,
  });
  const stop = new AbortController();
  const events: FeedEvent[] = [];
  const looks = new Set<() => void>();
  let hasEnded = false;

  const starts = symbols.map((symbol) => ({
    symbol: marketSymbol(symbol),
    resumeFrom: resumeFrom as EpochMs | undefined,
    oldestHole,
  }));
  const ended = (async () => {
    for await (const event of feed.stream(starts, stop.signal)) {
      events.push(event);
      for (const look of looks) look();
      await onEvent?.(event);
    }
  })().finally(() => {
    hasEnded = true;
    for (const look of looks) look();
  });
  ended.catch(() => undefined);

  async function until(holds: () => boolean, what: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (why: string) => reject(new Error(`Expected ${what}; ${why}: ${describe()}`));
    const timer = setTimeout(() => fail('not within 20 s'), DEADLINE_MS);
    const look = () => {
      if (holds()) resolve();
      else if (hasEnded) fail('the stream ended');
    };
    looks.add(look);
    const poll = setInterval(look, SLEEP_MS_MAX);
    look();
    await promise.finally(() => {
      looks.delete(look);
      clearTimeout(timer);
      clearInterval(poll);
    });
  }

  const describe = () =>
    JSON.stringify({
      state: events.findLast(({ type }) => type === 'state'),
      trades: trades().length,
      ids: [trades()[0]?.aggTradeId, trades().at(-1)?.aggTradeId],
      requests: exchange.requests
        .slice(-6)
        .map(({ path, query, status }) => `${path}?${query} ${status}`),
      watermarks: watermarks().length,
      rejected: events.filter(({ type }) => type === 'rejected').slice(0, 3),
    });
  const ticks = (symbol?: string) =>
    events
      .flatMap((event) => (event.type === 'ticks' ? event.ticks : []))
      .filter((tick) => symbol === undefined || symbolOfTick(tick) === symbol);
  const trades = (symbol?: string) =>
    ticks(symbol).flatMap((tick) => (tick.type === 'aggTrade' ? [tick.trade] : []));
  const watermarks = (symbol?: string) =>
    ticks(symbol).flatMap((tick) => (tick.type === 'watermark' ? [tick.watermark] : []));
  const state = () => {
    const last = events.findLast(({ type }) => type === 'state');
    return last?.type === 'state' ? last.state : undefined;
  };

  return {
    feed,
    events,
    until,
    live: () => until(() => state() === 'live', 'every symbol live'),
    state,
    ticks,
    trades,
    watermarks,
    klines: (interval, symbol) =>
      ticks(symbol).flatMap((tick) =>
        tick.type === 'kline' && tick.candle.interval === interval ? [tick.candle] : [],
      ),
    ended,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.allSettled([ended]);
      await feed[Symbol.asyncDispose]();
    },
  };
}

function exchangeClock(exchange: FakeExchange): Clock {
  const start = exchange.now() - performance.now();
  return {
    now: () => Math.floor(start + performance.now()) as EpochMs,
    async sleep(ms, signal) {
      if (signal?.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Math.min(ms, SLEEP_MS_MAX));
      const cancel = () => resolve();
      signal?.addEventListener('abort', cancel, { once: true });
      await promise;
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    },
  };
}

/** I1 at the feed: ids from the first on, each once, no hole. */
export function assertContiguous(trades: readonly AggTrade[], first: number, last: number): void {
  assert.deepEqual(
    trades.map(({ aggTradeId }) => aggTradeId),
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
}

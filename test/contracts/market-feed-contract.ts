// What every MarketFeed promises, as one suite: each feed's own test calls it with a way to make one.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextOpenTime } from '../../src/core/market/interval.ts';
import { type RawTick, symbolOfTick, timeOfTick } from '../../src/core/market/raw-tick.ts';
import { sourceId } from '../../src/core/market/source.ts';
import { type MarketSymbol, marketSymbol } from '../../src/core/market/symbol.ts';
import { DAY_MS, type EpochMs, MINUTE_MS } from '../../src/core/market/time.ts';
import {
  FeedError,
  type FeedEvent,
  type MarketFeed,
  type StartPoint,
} from '../../src/feed/market-feed.ts';
import { type ManualClock, settle } from './manual-clock.ts';

export interface FeedUnderTest {
  readonly feed: MarketFeed;
  /** The clock the feed was given. */
  readonly clock: ManualClock;
  /** Every one of them trades within the minutes that follow. */
  readonly symbols: readonly MarketSymbol[];
}

/** Watermarks waited for: two whole minutes, and what is around them. */
const WATERMARKS_SEEN = 2;
/** Events after which a feed has had its chance. */
const EVENTS_MAX = 20_000;

/** `create` makes a feed of its own for each test; the suite closes it. */
export function marketFeedContract(name: string, create: () => Promise<FeedUnderTest>): void {
  describe(`${name} keeps the market feed's promises`, () => {
    it('starts each symbol, then klines that tile its windows, then trades without a hole', () =>
      withFeed(create, async (test) => {
        const ticks = await ticksOf(test);
        for (const symbol of test.symbols) {
          assertSymbolOrder(ticks.filter((tick) => symbolOfTick(tick) === symbol));
        }
      }));

    it('says live with no symbol left out once all have joined', () =>
      withFeed(create, async (test) => {
        const states: FeedEvent[] = [];
        await readUntil(test, (event) => {
          if (event.type === 'state') states.push(event);
          return event.type === 'state' && event.state === 'live' && event.symbols.size === 0;
        });
        const last = states.at(-1);
        assert.equal(last?.type === 'state' ? last.state : undefined, 'live');
      }));

    it('hands history on by one symbol and interval at a time, ascending and over', () =>
      withFeed(create, async (test) => {
        const history: (FeedEvent & { type: 'history' })[] = [];
        await readUntil(test, (event) => {
          if (event.type === 'history') history.push(event);
          return isLive(event);
        });
        for (const { candles } of history) {
          assert.equal(new Set(candles.map((candle) => candle.symbol)).size, 1);
          assert.equal(new Set(candles.map((candle) => candle.interval)).size, 1);
          assertAscending(candles.map((candle) => candle.openTime));
          assert.ok(candles.every((candle) => candle.closeTime < test.clock.now()));
        }
      }));

    it('ends quietly when aborted, also while it waits', () =>
      withFeed(create, async ({ feed, clock, symbols }) => {
        const abort = new AbortController();
        const stream = feed.stream(startsOf(symbols), abort.signal)[Symbol.asyncIterator]();
        assert.equal((await settle(stream.next(), clock)).done, false);
        abort.abort();
        for (let event = await stream.next(); event.done !== true; ) event = await stream.next();
      }));

    it('gives no event where it was aborted before', () =>
      withFeed(create, async ({ feed, symbols }) => {
        const events: FeedEvent[] = [];
        for await (const event of feed.stream(startsOf(symbols), AbortSignal.abort())) {
          if (event.type !== 'state') events.push(event);
        }
        assert.deepEqual(events, []);
      }));

    it('closes twice as well as once, and a closed feed streams no more', async () => {
      const { feed, clock, symbols } = await create();
      const stream = feed.stream(startsOf(symbols), new AbortController().signal);
      const events = stream[Symbol.asyncIterator]();
      await settle(events.next(), clock);
      await feed[Symbol.asyncDispose]();
      await feed[Symbol.asyncDispose]();
      for (let event = await events.next(); event.done !== true; ) event = await events.next();
    });

    it('refuses a symbol it does not have, by name', () =>
      withFeed(create, async ({ feed, clock }) => {
        const start = { symbol: marketSymbol('NOSUCHUSDT'), resumeFrom: undefined };
        const read = async (): Promise<void> => {
          const events = feed.stream([start], new AbortController().signal)[Symbol.asyncIterator]();
          for (let event = await settle(events.next(), clock); event.done !== true; ) {
            event = await settle(events.next(), clock);
          }
        };
        await assert.rejects(read, (error) => {
          assert.ok(error instanceof FeedError);
          assert.equal(error.code, 'unknown-symbol');
          assert.match(error.message, /NOSUCHUSDT/);
          return true;
        });
      }));

    it('names its source', () =>
      withFeed(create, async ({ feed }) => {
        assert.match(sourceId(feed.source), /^(binance|simulated|recording):.+/);
      }));
  });
}

function startsOf(symbols: readonly MarketSymbol[]): StartPoint[] {
  return symbols.map((symbol) => ({ symbol, resumeFrom: undefined }));
}

async function withFeed(
  create: () => Promise<FeedUnderTest>,
  test: (under: FeedUnderTest) => Promise<void>,
): Promise<void> {
  const under = await create();
  await using _feed = under.feed;
  await test(under);
}

function isLive(event: FeedEvent): boolean {
  return event.type === 'state' && event.state === 'live' && event.symbols.size === 0;
}

/** Reads until `isEnough`, or the end of the stream, moving the clock whenever the feed waits for it. */
export async function readUntil(
  { feed, clock, symbols }: FeedUnderTest,
  isEnough: (event: FeedEvent) => boolean,
  starts: readonly StartPoint[] = startsOf(symbols),
): Promise<void> {
  const abort = new AbortController();
  const events = feed.stream(starts, abort.signal)[Symbol.asyncIterator]();
  for (let count = 0; count < EVENTS_MAX; count += 1) {
    const next = await settle(events.next(), clock);
    if (next.done === true || isEnough(next.value)) break;
  }
  abort.abort();
  await events.return?.();
}

/** Ticks until each symbol had `WATERMARKS_SEEN` watermarks. */
export async function ticksOf(
  test: FeedUnderTest,
  starts?: readonly StartPoint[],
): Promise<RawTick[]> {
  const ticks: RawTick[] = [];
  const left = new Map(test.symbols.map((symbol) => [symbol, WATERMARKS_SEEN]));
  await readUntil(
    test,
    (event) => {
      if (event.type !== 'ticks') return false;
      for (const tick of event.ticks) {
        ticks.push(tick);
        if (tick.type !== 'watermark') continue;
        const symbol = tick.watermark.symbol;
        left.set(symbol, (left.get(symbol) ?? 0) - 1);
      }
      return [...left.values()].every((count) => count <= 0);
    },
    starts,
  );
  return ticks;
}

/** One symbol's records, from its only start on. */
function assertSymbolOrder(ticks: readonly RawTick[]): void {
  const [first, ...rest] = ticks;
  assert.equal(first?.type, 'symbol', 'a symbol starts with its start');
  if (first?.type !== 'symbol') return;
  const { daysFrom, minutesFrom, time } = first.start;
  assert.equal(minutesFrom % MINUTE_MS, 0);
  assert.equal(daysFrom % DAY_MS, 0);
  const klines = rest.filter((tick) => tick.type === 'kline').map((tick) => tick.candle);
  const firstOther = rest.findIndex((tick) => tick.type !== 'kline');
  assert.equal(firstOther, klines.length, 'klines come before trades and watermarks');
  const days = klines.filter((candle) => candle.interval === '1d');
  const minutes = klines.filter((candle) => candle.interval === '1m');
  assert.deepEqual(klines, [...days, ...minutes], '1d, then 1m, and nothing else');
  const joinDay = (time - (time % DAY_MS)) as EpochMs;
  const joinMinute = (time - (time % MINUTE_MS)) as EpochMs;
  assertTiles(days, '1d', daysFrom, joinDay);
  assertTiles(minutes, '1m', minutesFrom, joinMinute);
  assertTrades(rest.slice(firstOther), joinMinute);
}

function assertTiles(
  candles: readonly { openTime: EpochMs }[],
  interval: '1m' | '1d',
  from: EpochMs,
  to: EpochMs,
): void {
  let end = from;
  for (const candle of candles) {
    assert.equal(candle.openTime, end, `${interval} without a hole`);
    end = nextOpenTime(interval, end);
  }
  assert.equal(end, to, `${interval} reaches the join`);
}

function assertTrades(ticks: readonly RawTick[], from: EpochMs): void {
  let lastId: number | undefined;
  let lastWatermark = from as number;
  let lastWindow = from as number;
  for (const tick of ticks) {
    const time = timeOfTick(tick);
    if (tick.type === 'aggTrade') {
      const { aggTradeId } = tick.trade;
      if (lastId !== undefined) assert.equal(aggTradeId, lastId + 1, 'ids without a hole');
      assert.ok(time >= lastWatermark, 'no trade after a watermark that closed its window');
      const window = time - (time % MINUTE_MS);
      assert.ok(window >= lastWindow, 'minutes never go back');
      lastWindow = window;
      lastId = aggTradeId;
    } else if (tick.type === 'watermark') {
      assert.ok(time >= lastWatermark, 'watermarks never go back');
      lastWatermark = time;
      const id = tick.watermark.aggTradeId;
      if (lastId !== undefined) assert.ok(id <= lastId, 'a watermark overtakes no trade');
    }
  }
  assert.ok(lastId !== undefined, 'the symbol trades');
}

function assertAscending(values: readonly number[]): void {
  for (let index = 1; index < values.length; index += 1) {
    assert.ok((values[index - 1] ?? 0) < (values[index] ?? 0), `ascending at ${index}`);
  }
}

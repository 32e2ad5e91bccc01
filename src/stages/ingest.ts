// The stage `ingest`: from a feed into the log, history into the store. The only stage that speaks to a market; it decides nothing about it.
import type { Logger } from 'pino';
import { type AggTrade, priceOf } from '../core/market/agg-trade.ts';
import { formatDecimal } from '../core/market/decimal.ts';
import {
  FEED_STATUS_INTERVAL_MS,
  type FeedState,
  type FeedStatus,
  type SymbolFeedState,
} from '../core/market/feed-status.ts';
import { type RawTick, symbolOfTick, timeOfTick } from '../core/market/raw-tick.ts';
import { type Source, sourceId } from '../core/market/source.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { Clock, DurationMs, EpochMs } from '../core/market/time.ts';
import type { FeedEvent, MarketFeed, StartPoint } from '../feed/market-feed.ts';
import type { AnyLogRecord, Log } from '../log/log.ts';
import { EVIDENCE, FEED_STATUS, LISTINGS, RAW_TICKS, RAW_TICKS_DLQ } from '../protocol/topics.ts';
import type { CandleStore } from '../store/candle-store.ts';
import { followRepairs } from './ingest/follow-repairs.ts';
import { createWishes } from './ingest/follow-wishes.ts';
import { createHistoryWriter } from './ingest/history-writer.ts';
import { createRejections } from './ingest/rejections.ts';

/** A change of the clock offset below this waits for the next status. */
const CLOCK_OFFSET_NEWS_MS: DurationMs = 1_000;

/** What is counted, for metrics; each is called with how many more. */
export interface IngestCounters {
  onTrades(count: number): void;
  onRejected(count: number): void;
  onHistory(candles: number): void;
}

export interface IngestOptions {
  readonly feed: MarketFeed;
  readonly log: Log;
  /** Takes closed candles of the past; without one they are left out. */
  readonly store?: CandleStore;
  readonly starts: readonly StartPoint[];
  /** Where a symbol that is added while it runs goes on. Default: at the current minute. */
  readonly startOf?: (symbol: MarketSymbol) => Promise<StartPoint>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters?: IngestCounters;
  /**
   * Called once, when the feed has ended by itself (a recording) and its history is written. With it,
   * the status goes on, as offline, until `signal` aborts; without it, the feed's end ends the stage.
   */
  readonly onEnded?: () => void;
  readonly signal: AbortSignal;
}

/**
 * Runs until `signal` aborts (then it resolves), or, without `onEnded`, until the feed ends.
 * @throws FeedError, and whatever the log throws. What the store throws is told and tried again.
 */
export async function ingest(options: IngestOptions): Promise<void> {
  const { feed, log, clock, logger, counters } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const status = createStatus(feed, clock);
  const wishes = createWishes({ ...options, signal });
  const rejections = createRejections(options);
  const history =
    options.store === undefined
      ? undefined
      : createHistoryWriter({ store: options.store, clock, logger, signal });

  function append(records: readonly AnyLogRecord[]): Promise<void> {
    return log.append(records, { signal });
  }

  async function take(event: FeedEvent): Promise<void> {
    switch (event.type) {
      case 'ticks':
        await takeTicks(event.ticks);
        break;
      case 'history':
        counters?.onHistory(event.candles.length);
        await history?.add(event.candles);
        break;
      case 'evidence': {
        const { evidence } = event;
        const { symbol, openTime } = evidence.type === 'kline' ? evidence.candle : evidence;
        await append([{ topic: EVIDENCE, key: symbol, value: evidence, timestamp: openTime }]);
        break;
      }
      case 'listings': {
        const timestamp = clock.now();
        await append(
          event.listings.map((value) => ({ topic: LISTINGS, key: value.symbol, value, timestamp })),
        );
        break;
      }
      case 'rejected': {
        const { reason, payload } = event;
        counters?.onRejected(1);
        rejections.rejected(reason, payload);
        const value = { reason, payload, receivedAt: clock.now() };
        await append([{ topic: RAW_TICKS_DLQ, key: '', value, timestamp: value.receivedAt }]);
        await wishes.refused(payload);
        break;
      }
      case 'state':
        logStatus(event);
        await change(event);
        break;
      default:
        event satisfies never;
    }
  }

  async function change(event: StateEvent): Promise<void> {
    status.changed(event);
    await append([status.record()]);
  }

  async function takeTicks(ticks: readonly RawTick[]): Promise<void> {
    const isDebug = logger.isLevelEnabled('debug');
    const records: AnyLogRecord[] = [];
    let trades = 0;
    for (const tick of ticks) {
      records.push(tickRecord(tick));
      if (tick.type !== 'aggTrade') continue;
      trades += 1;
      status.traded(tick.trade);
      if (isDebug) logger.debug(sentLine(tick.trade));
    }
    if (trades > 0) counters?.onTrades(trades);
    // Who reads candles judges their age by the exchange's clock: it is told first.
    if (status.isOffsetNew()) await append([status.record()]);
    await append(records);
  }

  function logStatus({ state, reason }: StateEvent): void {
    const line = `Feed: ${state}${reason === undefined ? '' : ` (${reason})`}`;
    if (state === 'stale' || state === 'offline') logger.warn(line);
    else logger.info(line);
  }

  async function beat(): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(FEED_STATUS_INTERVAL_MS, signal);
      rejections.tell();
      if (!signal.aborted) await append([status.record()]);
    }
  }

  async function read(): Promise<void> {
    for await (const event of feed.stream(options.starts, signal)) await take(event);
    if (signal.aborted) return;
    await change({
      type: 'state',
      state: 'offline',
      reason: endOf(feed.source),
      symbols: new Map(),
    });
    await history?.written();
    if (signal.aborted) return;
    if (options.onEnded === undefined) stop.abort();
    else options.onEnded();
  }

  // A failure of either ends the other; an append that was cut short by that is no failure.
  const parts = [followRepairs({ log, feed, signal }), read(), beat(), wishes.follow()].map(
    (part) =>
      part.catch((error: unknown) => {
        stop.abort();
        throw error;
      }),
  );
  const ends = await Promise.allSettled(parts);
  await history?.written();
  rejections.end();
  for (const end of ends) {
    if (end.status === 'rejected' && end.reason !== signal.reason) throw end.reason;
  }
}

type StateEvent = FeedEvent & { readonly type: 'state' };

/** Said for as long as what the feed has sent stays on the screen. */
function endOf(source: Source): string {
  return source.kind === 'recording' ? 'The recording is at its end.' : 'The feed has ended.';
}

/** `Sent tick → BTCUSDT 90241.12`: the line that the seed's users know. */
function sentLine(trade: AggTrade): string {
  const price = formatDecimal(priceOf(trade)).replace(/\.?0+$/, '');
  return `Sent tick → ${trade.symbol} ${price}`;
}

function tickRecord(tick: RawTick): AnyLogRecord {
  return { topic: RAW_TICKS, key: symbolOfTick(tick), value: tick, timestamp: timeOfTick(tick) };
}

interface Status {
  /** The exchange's clock is known otherwise than the last record said. */
  isOffsetNew(): boolean;
  changed(event: StateEvent): void;
  traded(trade: AggTrade): void;
  record(): AnyLogRecord;
}

function createStatus(feed: MarketFeed, clock: Clock): Status {
  const key = sourceId(feed.source);
  let state: FeedState = 'connecting';
  let since = clock.now();
  let reason: string | undefined;
  let symbols: Record<MarketSymbol, SymbolFeedState> = {};
  let newestEvent: EpochMs | undefined;
  let feedDelayMs: number | undefined;
  let toldOffsetMs: number | undefined;

  return {
    isOffsetNew() {
      const { clockOffsetMs } = feed;
      if (clockOffsetMs === undefined) return false;
      if (toldOffsetMs === undefined) return true;
      return Math.abs(clockOffsetMs - toldOffsetMs) >= CLOCK_OFFSET_NEWS_MS;
    },
    changed(event) {
      if (event.state !== state) since = clock.now();
      state = event.state;
      reason = event.reason;
      symbols = Object.fromEntries(event.symbols);
    },
    traded({ eventTime }) {
      // Older ones were fetched: they say nothing of the way a live trade takes.
      if (newestEvent !== undefined && eventTime < newestEvent) return;
      newestEvent = eventTime;
      feedDelayMs = clock.now() + (feed.clockOffsetMs ?? 0) - eventTime;
    },
    record() {
      const at = clock.now();
      toldOffsetMs = feed.clockOffsetMs;
      const value: FeedStatus = {
        source: feed.source,
        state,
        since,
        ...(reason === undefined ? {} : { reason }),
        at,
        ...(toldOffsetMs === undefined ? {} : { clockOffsetMs: toldOffsetMs }),
        symbols,
        ...(feedDelayMs === undefined ? {} : { feedDelayMs }),
      };
      return { topic: FEED_STATUS, key, value, timestamp: at };
    },
  };
}

// The stage `ingest`: from a feed into the log, history into the store. The only stage that speaks to a market; it decides nothing about it.
import type { Logger } from 'pino';
import { type AggTrade, priceOf } from '../core/market/agg-trade.ts';
import type { Candle } from '../core/market/candle.ts';
import { formatDecimal } from '../core/market/decimal.ts';
import {
  FEED_STATUS_INTERVAL_MS,
  type FeedState,
  type FeedStatus,
} from '../core/market/feed-status.ts';
import { type RawTick, symbolOfTick, timeOfTick } from '../core/market/raw-tick.ts';
import { sourceId } from '../core/market/source.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { Clock, EpochMs } from '../core/market/time.ts';
import type { FeedEvent, MarketFeed, StartPoint } from '../feed/market-feed.ts';
import type { AnyLogRecord, Log } from '../log/log.ts';
import { FEED_STATUS, RAW_TICKS, RAW_TICKS_DLQ } from '../protocol/topics.ts';
import type { CandleStore } from '../store/candle-store.ts';

/** Candles in one write: short enough that trades are not kept waiting. */
export const HISTORY_CHUNK = 500;
/** Histories waiting for the store; at the limit the feed waits. */
export const HISTORY_QUEUE_MAX = 64;

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
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters?: IngestCounters;
  readonly signal: AbortSignal;
}

/**
 * Runs until the feed ends or `signal` aborts (then it resolves).
 * @throws FeedError, and whatever the log or the store throws.
 */
export async function ingest(options: IngestOptions): Promise<void> {
  const { feed, log, clock, logger, counters } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const status = createStatus(feed, clock);
  const history = createHistoryWriter(options.store, signal);

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
        await history.add(event.candles);
        break;
      case 'rejected': {
        const { reason, payload } = event;
        counters?.onRejected(1);
        logger.warn(`Rejected: ${reason}`);
        const value = { reason, payload, receivedAt: clock.now() };
        await append([{ topic: RAW_TICKS_DLQ, key: '', value, timestamp: value.receivedAt }]);
        break;
      }
      case 'state':
        status.changed(event);
        logStatus(event);
        await append([status.record()]);
        break;
      default:
        event satisfies never;
    }
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
    await append(records);
  }

  function logStatus({ state, reason }: FeedEvent & { readonly type: 'state' }): void {
    const line = `Feed: ${state}${reason === undefined ? '' : ` (${reason})`}`;
    if (state === 'stale' || state === 'offline') logger.warn(line);
    else logger.info(line);
  }

  async function beat(): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(FEED_STATUS_INTERVAL_MS, signal);
      if (!signal.aborted) await append([status.record()]);
    }
  }

  async function read(): Promise<void> {
    try {
      for await (const event of feed.stream(options.starts, signal)) await take(event);
    } finally {
      await history.written();
    }
  }

  // Whichever ends first ends the other; an append that was cut short by that is no failure.
  const ends = [read(), beat()].map((end) => end.finally(() => stop.abort()));
  for (const end of await Promise.allSettled(ends)) {
    if (end.status === 'rejected' && end.reason !== signal.reason) throw end.reason;
  }
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
  changed(event: FeedEvent & { readonly type: 'state' }): void;
  traded(trade: AggTrade): void;
  record(): AnyLogRecord;
}

function createStatus(feed: MarketFeed, clock: Clock): Status {
  const key = sourceId(feed.source);
  let state: FeedState = 'connecting';
  let since = clock.now();
  let reason: string | undefined;
  let symbols: Record<MarketSymbol, 'catching-up' | 'repairing'> = {};
  let newestEvent: EpochMs | undefined;
  let feedDelayMs: number | undefined;

  return {
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
      feedDelayMs = clock.now() + feed.clockOffsetMs - eventTime;
    },
    record() {
      const at = clock.now();
      const value: FeedStatus = {
        source: feed.source,
        state,
        since,
        ...(reason === undefined ? {} : { reason }),
        at,
        clockOffsetMs: feed.clockOffsetMs,
        symbols,
        ...(feedDelayMs === undefined ? {} : { feedDelayMs }),
      };
      return { topic: FEED_STATUS, key, value, timestamp: at };
    },
  };
}

interface HistoryWriter {
  /** Waits only while `HISTORY_QUEUE_MAX` are queued. @throws what the store threw at an earlier one. */
  add(candles: readonly Candle[]): Promise<void>;
  written(): Promise<void>;
}

/** Writes one chunk after the other beside the stream, so that trades do not wait for the store. */
function createHistoryWriter(store: CandleStore | undefined, signal: AbortSignal): HistoryWriter {
  const queue: (readonly Candle[])[] = [];
  let writing: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;

  async function write(to: CandleStore): Promise<void> {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      for (let at = 0; at < next.length && !signal.aborted; at += HISTORY_CHUNK) {
        await to.write(next.slice(at, at + HISTORY_CHUNK));
      }
      queue.shift();
    }
  }

  async function written(): Promise<void> {
    await writing;
    if (failure !== undefined) throw failure.error;
  }

  return {
    written,
    async add(candles) {
      if (failure !== undefined) throw failure.error;
      if (store === undefined) return;
      queue.push(candles);
      writing ??= write(store).then(
        () => {
          writing = undefined;
        },
        (error: unknown) => {
          failure = { error };
          writing = undefined;
        },
      );
      if (queue.length >= HISTORY_QUEUE_MAX) await written();
    },
  };
}

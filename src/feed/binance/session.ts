// One run of the feed: puts connections, REST and the symbols together. Decides little.
import type { Candle } from '../../core/market/candle.ts';
import type { RepairRequest } from '../../core/market/evidence.ts';
import { STALE_AFTER_MS } from '../../core/market/feed-status.ts';
import { type MarketSymbol, SYMBOLS_MAX } from '../../core/market/symbol.ts';
import { type DurationMs, HOUR_MS } from '../../core/market/time.ts';
import {
  type FeedCounts,
  FeedError,
  type FeedEvent,
  REJECTED_PAYLOAD_MAX,
  type StartPoint,
} from '../market-feed.ts';
import type { AttemptBudget } from './back-off.ts';
import type { LifeLimits } from './connection-life.ts';
import { createConnections } from './connections.ts';
import { createEventQueue } from './event-queue.ts';
import type { BinanceFeedOptions } from './feed.ts';
import { addCounts, NO_COUNTS } from './feed-counts.ts';
import { createFeedReport } from './feed-report.ts';
import { type FollowedSymbol, followSymbol } from './followed-symbol.ts';
import { createFrameTimes } from './frame-times.ts';
import { createFrameReader, type Frame } from './frames.ts';
import { followListings } from './listings.ts';
import { waitWhileSteady } from './patience.ts';
import { createRepairAnswers } from './repair-answers.ts';
import { createRest, type Rest } from './rest.ts';
import { createRestRequester } from './rest-request.ts';
import type { Transport } from './transport.ts';

/** Silence after which a socket counts as lost and another is opened. */
export const SILENCE_RECONNECT_MS: DurationMs = 12_000;
/** A socket is replaced before the exchange's 24 h are over. */
export const ROTATE_AFTER_MS: DurationMs = 23 * HOUR_MS;
/** So long both deliver after a change: one of the exchange's nodes may be that much behind another. */
export const OVERLAP_MS: DurationMs = 1_000;
/** How often the exchange's time is asked for. */
export const TIME_SAMPLE_INTERVAL_MS: DurationMs = 600_000;
const TIME_SAMPLES_AT_START = 3;
/** Where every endpoint refuses us at the start, and we are to try on: a login page in between may be gone after this. */
const REFUSED_RETRY_MS: DurationMs = 15_000;
/** Frames kept until the exchange's time is known. At the limit later ones are not: the ids show it, and REST has them. */
export const EARLY_FRAMES_MAX = 20_000;

export interface SessionOptions extends BinanceFeedOptions {
  readonly transport: Transport;
  readonly attempts: AttemptBudget;
  readonly starts: readonly StartPoint[];
  readonly signal: AbortSignal;
}

export interface Session {
  readonly rest: Rest;
  readonly events: AsyncIterable<FeedEvent>;
  counts(): FeedCounts;
  /** As in `MarketFeed`. */
  ask(request: RepairRequest): void;
  /** Resolves when all has ended; a fault ends `events` with it. */
  run(): Promise<void>;
  add(start: StartPoint): void;
  remove(symbol: MarketSymbol): void;
}

export function createSession(options: SessionOptions): Session {
  const { transport, clock, random, logger, starts, signal } = options;
  const isTryingOn = options.whenRefused === 'try-on';
  const queue = createEventQueue((isFull) => {
    if (isFull) connections.pause();
    else connections.resume();
  });
  const requester = createRestRequester({
    ...options,
    onTrouble: (reason) => report.trouble(`REST: ${reason}`),
  });
  const rest = createRest(requester, clock);
  const symbols = new Map<MarketSymbol, FollowedSymbol>();
  const repairs = createRepairAnswers({
    rest,
    clock,
    isOurs: (symbol) => symbols.has(symbol),
    emit: queue.tick,
    push: queue.push,
    room: queue.room,
    signal,
  });
  /** Also those that were removed: their last frames are no fault. */
  const subscribed = new Set<MarketSymbol>();
  const running = new Set<Promise<void>>();
  const failing = Promise.withResolvers<never>();
  /** What those counted that were removed. */
  let removed = NO_COUNTS;
  /** The exchange's time is known: symbols may start. */
  let isTimed = false;
  /** Trades and closed minutes that came before that: a time that cannot be would not have been seen. */
  const early: Uint8Array[] = [];
  const readFrame = createFrameReader(
    subscribed,
    createFrameTimes(() => (isTimed ? rest.now() : undefined)),
  );

  const connections = createConnections({
    ...options,
    transport,
    limits: limitsOf(options),
    readFrame,
    onFrame(frame, bytes) {
      const isEarly = !isTimed && (frame.type === 'trade' || frame.type === 'closed-minute');
      if (!isEarly) take(frame, bytes);
      else if (early.length < EARLY_FRAMES_MAX) early.push(bytes);
    },
    onCovered: (symbol) => symbols.get(symbol)?.stream.opened(),
    onState: () => report.look(),
    onTrouble: (reason) => report.trouble(`stream: ${reason}`),
  });
  const report = createFeedReport({
    symbols: function* states() {
      for (const [symbol, { stream }] of symbols) yield [symbol, stream.state()];
    },
    connections,
    push: queue.push,
    clock,
    logger,
  });

  function take(frame: Frame, bytes: Uint8Array): void {
    switch (frame.type) {
      case 'trade':
        symbols.get(frame.trade.symbol)?.stream.trade(frame.trade);
        break;
      case 'closed-minute':
        takeMinute(frame.candle);
        break;
      case 'rejected':
        queue.push({ type: 'rejected', reason: frame.reason, payload: payloadText(bytes) });
        break;
      // The first two are the connection's own.
      case 'reply':
      case 'shutdown':
      case 'ignored':
        break;
      default:
        frame satisfies never;
    }
  }

  function takeMinute(candle: Candle): void {
    const followed = symbols.get(candle.symbol);
    if (followed === undefined) return;
    queue.push({ type: 'evidence', evidence: { type: 'kline', via: 'stream', candle } });
    followed.stream.closedMinute(candle);
  }

  function follow(start: StartPoint, endsWhenRefused: boolean): FollowedSymbol {
    const { historyIntervals } = options;
    const followed = followSymbol({
      start,
      endsWhenRefused,
      rest,
      queue,
      clock,
      random,
      ...(historyIntervals === undefined ? {} : { historyIntervals }),
      logger,
      onState: report.look,
      onTrouble: report.trouble,
      limits: options,
      signal,
    });
    symbols.set(start.symbol, followed);
    subscribed.add(start.symbol);
    connections.add(start.symbol);
    return followed;
  }

  /** A fault of one that was there from the start ends the feed; of one that came later, its part alone. */
  function run(symbol: MarketSymbol, followed: FollowedSymbol): void {
    const part = followed.run().catch((error: unknown) => {
      if (initial.has(followed)) failing.reject(error);
      else if (symbols.get(symbol) === followed) refuse(symbol, error);
    });
    running.add(part);
    void part.then(() => running.delete(part));
  }

  function refuse(symbol: MarketSymbol, error: unknown): void {
    if (signal.aborted) return;
    remove(symbol);
    subscribed.delete(symbol);
    const reason = error instanceof Error ? error.message : String(error);
    report.trouble(`${symbol} was not added: ${reason}`);
    queue.push({ type: 'rejected', reason, payload: symbol });
  }

  function add(start: StartPoint): void {
    if (signal.aborted || symbols.has(start.symbol)) return;
    if (symbols.size >= SYMBOLS_MAX) {
      const reason = `${SYMBOLS_MAX} symbols are followed, the most there can be`;
      refuse(start.symbol, new Error(reason));
      return;
    }
    const followed = follow(start, false);
    if (isTimed) run(start.symbol, followed);
    report.look();
  }

  function remove(symbol: MarketSymbol): void {
    const followed = symbols.get(symbol);
    if (followed !== undefined) removed = addCounts(removed, followed.stream.counts());
    followed?.stop();
    symbols.delete(symbol);
    connections.remove(symbol);
    report.look();
  }

  /** Where we are to try on, `ask` again until it is answered. @throws an unknown symbol; else all of it */
  async function untilServed(ask: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        const isUnknown = error instanceof FeedError && error.code === 'unknown-symbol';
        if (!isTryingOn || isUnknown || signal.aborted) throw error;
        report.trouble(`REST: ${error instanceof Error ? error.message : String(error)}`);
      }
      await clock.sleep(REFUSED_RETRY_MS, signal);
      signal.throwIfAborted();
    }
  }

  async function keepTime(): Promise<void> {
    for (let sample = 2; !signal.aborted; sample++) {
      if (sample > TIME_SAMPLES_AT_START) {
        await waitWhileSteady(clock, TIME_SAMPLE_INTERVAL_MS, signal);
      }
      if (signal.aborted) return;
      await rest.sampleTime(signal).catch((error: unknown) => {
        if (!signal.aborted) logger.warn(`The exchange's time is not known anew: ${String(error)}`);
      });
    }
  }

  function startSymbols(): void {
    isTimed = true;
    for (const bytes of early.splice(0)) take(readFrame(bytes), bytes);
    for (const [symbol, followed] of symbols) run(symbol, followed);
  }

  async function runAll(): Promise<void> {
    const onListings = (listings: FeedEventListings): void =>
      queue.push({ type: 'listings', listings });
    const [first] = starts;
    const all = Promise.all([
      connections.run(),
      first && untilServed(() => rest.learnLimits(first.symbol, signal)),
      untilServed(() => rest.sampleTime(signal))
        .then(startSymbols)
        .then(keepTime),
      followListings({ requester, clock, onListings, logger, signal }),
    ]);
    await Promise.race([all, failing.promise]);
    await Promise.all(running);
  }

  const initial: ReadonlySet<FollowedSymbol> = new Set(
    starts.map((start) => follow(start, !isTryingOn)),
  );
  return {
    rest,
    events: queue.events(),
    counts: () =>
      [...symbols.values()].map(({ stream }) => stream.counts()).reduce(addCounts, removed),
    ask: repairs.ask,
    add,
    remove,
    async run() {
      signal.addEventListener('abort', () => queue.end(), { once: true });
      try {
        report.look();
        await runAll();
        await repairs.done();
        queue.end();
      } catch (error) {
        queue.end(signal.aborted ? undefined : error);
      }
    },
  };
}

type FeedEventListings = (FeedEvent & { readonly type: 'listings' })['listings'];

function limitsOf({ rotateAfterMs = ROTATE_AFTER_MS }: SessionOptions): LifeLimits {
  return {
    staleAfterMs: STALE_AFTER_MS,
    silenceMs: SILENCE_RECONNECT_MS,
    rotateAfterMs,
    overlapMs: OVERLAP_MS,
  };
}

function payloadText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, REJECTED_PAYLOAD_MAX));
}

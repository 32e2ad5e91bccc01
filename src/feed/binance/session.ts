// One run of the feed: puts connection, REST and symbol streams together, and says how they are. Decides little.
import type { RepairRequest } from '../../core/market/evidence.ts';
import type { FeedState } from '../../core/market/feed-status.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { DurationMs } from '../../core/market/time.ts';
import {
  FeedError,
  type FeedEvent,
  REJECTED_PAYLOAD_MAX,
  type StartPoint,
} from '../market-feed.ts';
import { type Connection, type ConnectionState, createConnection } from './connection.ts';
import { createEventQueue } from './event-queue.ts';
import type { BinanceFeedOptions } from './feed.ts';
import { createFrameReader, type Frame } from './frames.ts';
import { createPast } from './past.ts';
import { createRepairAnswers } from './repair-answers.ts';
import { createRest, type Rest } from './rest.ts';
import { createRestRequester, retryMs } from './rest-request.ts';
import { createSymbolStream, type SymbolStream } from './symbol-stream.ts';
import type { Transport } from './transport.ts';

/** How often the exchange's time is asked for. */
export const TIME_SAMPLE_INTERVAL_MS: DurationMs = 600_000;
const TIME_SAMPLES_AT_START = 3;
/** The same warning is not repeated within this. */
const WARN_AGAIN_MS: DurationMs = 60_000;

export interface SessionOptions extends BinanceFeedOptions {
  readonly transport: Transport;
  readonly starts: readonly StartPoint[];
  readonly signal: AbortSignal;
}

export interface Session {
  readonly rest: Rest;
  readonly events: AsyncIterable<FeedEvent>;
  /** See MarketFeed. */
  ask(request: RepairRequest): void;
  /** Resolves when all has ended; a fault ends `events` with it. */
  run(): Promise<void>;
}

export function createSession(options: SessionOptions): Session {
  const { transport, clock, random, logger, starts, signal } = options;
  const queue = createEventQueue((isFull) => {
    if (isFull) connection.pause();
    else connection.resume();
  });
  const requester = createRestRequester({
    ...options,
    onTrouble(reason) {
      warn(`REST: ${reason}`);
      trouble = reason;
      report();
    },
  });
  const rest = createRest(requester, clock);
  const symbols = new Map<MarketSymbol, SymbolStream>();
  const repairs = createRepairAnswers({
    rest,
    clock,
    isOurs: (symbol) => symbols.has(symbol),
    emit: queue.tick,
    push: queue.push,
    room: queue.room,
    signal,
  });
  const readFrame = createFrameReader(new Set(starts.map(({ symbol }) => symbol)));
  let connected: ConnectionState = 'connecting';
  let why: string | undefined;
  let trouble: string | undefined;
  let reported = '';
  let warned = { message: '', at: 0 };

  const connection: Connection = createConnection({
    webSocketUrls: options.webSocketUrls,
    streams: streamNames(starts.map(({ symbol }) => symbol)),
    transport,
    clock,
    random,
    signal,
    onState(state, reason) {
      const isNew = state === 'open' && connected !== 'stale';
      if (reason !== undefined) warn(`stream: ${reason}`);
      connected = state;
      why = reason;
      if (isNew) for (const stream of symbols.values()) stream.opened();
      report();
    },
    onFrame: (bytes) => take(readFrame(bytes), bytes),
  });

  function take(frame: Frame, bytes: Uint8Array): void {
    switch (frame.type) {
      case 'trade':
        symbols.get(frame.trade.symbol)?.trade(frame.trade);
        break;
      case 'closed-minute':
        queue.push({
          type: 'evidence',
          evidence: { type: 'kline', via: 'stream', candle: frame.candle },
        });
        symbols.get(frame.candle.symbol)?.closedMinute(frame.candle);
        break;
      case 'rejected':
        queue.push({ type: 'rejected', reason: frame.reason, payload: payloadText(bytes) });
        break;
      case 'reply':
        if (frame.error !== undefined) logger.warn(`stream: subscription refused, ${frame.error}`);
        break;
      case 'shutdown':
        connection.replace('the exchange announced a shutdown');
        break;
      case 'ignored':
        break;
      default:
        frame satisfies never;
    }
  }

  /** Hundreds of symbols meet the same trouble at the same time: it is said once. */
  function warn(message: string): void {
    if (message === warned.message && clock.now() - warned.at < WARN_AGAIN_MS) return;
    warned = { message, at: clock.now() };
    logger.warn(message);
  }

  /** Tells the reader how the feed is, where that has changed. */
  function report(): void {
    const busy = new Map<MarketSymbol, 'catching-up' | 'repairing'>();
    for (const { symbol } of starts) {
      const state = symbols.get(symbol)?.state() ?? 'catching-up';
      if (state !== 'live') busy.set(symbol, state);
    }
    const state = feedState(connected, busy);
    if (state === 'live') trouble = undefined;
    const reason = why ?? trouble;
    const key = JSON.stringify([state, reason, [...busy]]);
    if (key === reported) return;
    reported = key;
    queue.push({
      type: 'state',
      state,
      symbols: busy,
      ...(reason === undefined ? {} : { reason }),
    });
  }

  async function runSymbol({ symbol, resumeFrom }: StartPoint): Promise<void> {
    const { historyIntervals } = options;
    const past = createPast({
      symbol,
      ...(historyIntervals === undefined ? {} : { historyIntervals }),
      rest,
      push: queue.push,
      room: queue.room,
      logger,
      signal,
    });
    const stream = createSymbolStream({
      symbol,
      resumeFrom,
      rest,
      clock,
      emit: queue.tick,
      push: queue.push,
      room: queue.room,
      onState: report,
      onJoined: past.joined,
      signal,
    });
    symbols.set(symbol, stream);
    if (connected === 'open' || connected === 'stale') stream.opened();
    for (let attempt = 0; !signal.aborted; attempt++) {
      await stream.run().catch((error: unknown) => {
        if (!signal.aborted && isFatal(error, past.hasJoined())) throw error;
        if (!signal.aborted) noteTrouble(symbol, error);
      });
      await clock.sleep(retryMs(attempt, random), signal);
    }
    await past.done();
  }

  function noteTrouble(symbol: MarketSymbol, error: unknown): void {
    trouble = `${symbol}: ${error instanceof Error ? error.message : String(error)}`;
    warn(trouble);
    report();
  }

  async function keepTime(): Promise<void> {
    for (let sample = 2; !signal.aborted; sample++) {
      if (sample > TIME_SAMPLES_AT_START) await clock.sleep(TIME_SAMPLE_INTERVAL_MS, signal);
      if (signal.aborted) return;
      await rest.sampleTime(signal).catch((error: unknown) => {
        if (!signal.aborted) logger.warn(`The exchange's time is not known anew: ${String(error)}`);
      });
    }
  }

  async function runAll(): Promise<void> {
    const first = starts[0];
    if (first === undefined) return;
    const timed = rest.sampleTime(signal);
    await Promise.all([
      connection.run(),
      rest.learnLimits(first.symbol, signal),
      timed.then(keepTime),
      ...starts.map((start) => timed.then(() => runSymbol(start))),
    ]);
  }

  return {
    rest,
    events: queue.events(),
    ask: repairs.ask,
    async run() {
      signal.addEventListener('abort', () => queue.end(), { once: true });
      try {
        report();
        await runAll();
        await repairs.done();
        queue.end();
      } catch (error) {
        queue.end(signal.aborted ? undefined : error);
      }
    },
  };
}

/** What trying again cannot mend; a symbol that has joined once is never given up. */
function isFatal(error: unknown, hasJoined: boolean): boolean {
  return error instanceof FeedError && !hasJoined;
}

export function feedState(
  connected: ConnectionState,
  busy: ReadonlyMap<MarketSymbol, 'catching-up' | 'repairing'>,
): FeedState {
  if (connected !== 'open') return connected;
  const states = new Set(busy.values());
  if (states.has('catching-up')) return 'catching-up';
  return states.has('repairing') ? 'repairing' : 'live';
}

/** Trades and minutes of each, and the seconds of one: a stream that is never silent while the exchange trades. */
function streamNames(symbols: readonly MarketSymbol[]): readonly string[] {
  const names = symbols.map((symbol) => symbol.toLowerCase());
  const pulse = names.slice(0, 1).map((name) => `${name}@kline_1s`);
  return [...pulse, ...names.flatMap((name) => [`${name}@aggTrade`, `${name}@kline_1m`])];
}

function payloadText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, REJECTED_PAYLOAD_MAX));
}

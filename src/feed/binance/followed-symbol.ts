// One symbol of a running feed, from its start to its removal: its stream, tried again until it ends, and its past. Says what trying again cannot mend.
import type { Interval } from '../../core/market/interval.ts';
import type { Clock } from '../../core/market/time.ts';
import { FeedError, type StartPoint } from '../market-feed.ts';
import type { EventQueue } from './event-queue.ts';
import { createPast } from './past.ts';
import type { Rest } from './rest.ts';
import { retryMs } from './rest-request.ts';
import { createSymbolStream, type StreamLimits, type SymbolStream } from './symbol-stream.ts';

export interface FollowedSymbol {
  readonly stream: SymbolStream;
  /**
   * Until it is removed or the feed ends.
   * @throws FeedError where the symbol cannot join at all; one that has joined once is never given up.
   */
  run(): Promise<void>;
  /** Ends `run`; nothing of the symbol is handed on any more. */
  stop(): void;
}

export interface FollowedSymbolOptions {
  readonly start: StartPoint;
  /** It cannot join either where every endpoint refuses us. */
  readonly endsWhenRefused: boolean;
  readonly rest: Rest;
  readonly queue: EventQueue;
  readonly clock: Clock;
  readonly random: () => number;
  readonly historyIntervals?: readonly Interval[];
  readonly limits: StreamLimits;
  readonly logger: { warn(message: string): void };
  readonly onState: () => void;
  readonly onTrouble: (reason: string) => void;
  readonly signal: AbortSignal;
}

export function followSymbol(options: FollowedSymbolOptions): FollowedSymbol {
  const { start, rest, queue, clock, random, historyIntervals, logger } = options;
  const { symbol } = start;
  const isHopeless = (error: unknown) =>
    error instanceof FeedError && (options.endsWhenRefused || error.code === 'unknown-symbol');
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const { tick: emit, push, room } = queue;
  const past = createPast({
    symbol,
    ...(historyIntervals === undefined ? {} : { historyIntervals }),
    oldestHole: start.oldestHole,
    rest,
    clock,
    push,
    room,
    logger,
    signal,
  });
  const stream = createSymbolStream({
    ...start,
    rest,
    clock,
    emit,
    push,
    room,
    onState: options.onState,
    onTrouble: (reason) => options.onTrouble(`${symbol}: ${reason}`),
    limits: options.limits,
    onJoined: past.joined,
    signal,
  });

  return {
    stream,
    async run() {
      for (let attempt = 0; !signal.aborted; attempt++) {
        await stream.run().catch((error: unknown) => {
          if (signal.aborted) return;
          if (isHopeless(error) && !past.hasJoined()) throw error;
          options.onTrouble(`${symbol}: ${error instanceof Error ? error.message : String(error)}`);
        });
        await clock.sleep(retryMs(attempt, random), signal);
      }
      await past.done();
    },
    stop: () => stopping.abort(),
  };
}

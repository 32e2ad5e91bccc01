// Between sockets and the reader of a feed: what came since the last read is one batch. No timers: nothing waits longer than the reader is busy.
import type { RawTick } from '../../core/market/raw-tick.ts';
import type { FeedEvent } from '../market-feed.ts';

/**
 * Ticks and candles waiting for the reader at which the sockets are paused and REST's answers wait;
 * they go on below half of it.
 */
export const QUEUED_TICKS_MAX = 50_000;
/** A refused payload takes the room of so many ticks. */
export const REJECTED_TICKS = 10;

export interface EventQueue {
  tick(tick: RawTick): void;
  push(event: FeedEvent): void;
  /** Resolves while fewer than `QUEUED_TICKS_MAX` wait, and always once the queue has ended. */
  room(): Promise<void>;
  /** What is queued is still read, then the reader's loop ends, or throws `error`. */
  end(error?: unknown): void;
  /** For one reader. */
  events(): AsyncGenerator<FeedEvent, void, undefined>;
}

/** `onPressure(true)`: the queue is full; `onPressure(false)`: there is room again. */
export function createEventQueue(onPressure: (isFull: boolean) => void): EventQueue {
  let queued: FeedEvent[] = [];
  /** The last event in `queued`, where ticks are still added to it. */
  let batch: RawTick[] | undefined;
  let count = 0;
  let isFull = false;
  let ended: { readonly error: unknown } | undefined;
  let news = Promise.withResolvers<void>();
  let room: PromiseWithResolvers<void> | undefined;

  function relieve(): void {
    if (isFull) onPressure(false);
    isFull = false;
    room?.resolve();
    room = undefined;
  }

  function added(size: number): void {
    count += size;
    if (count < QUEUED_TICKS_MAX || isFull || ended !== undefined) return;
    isFull = true;
    onPressure(true);
  }

  function take(): readonly FeedEvent[] {
    const taken = queued;
    queued = [];
    batch = undefined;
    if (ended === undefined) news = Promise.withResolvers();
    return taken;
  }

  function read(event: FeedEvent): void {
    count -= sizeOf(event);
    if (count < QUEUED_TICKS_MAX / 2) relieve();
  }

  return {
    tick(tick) {
      if (batch === undefined) {
        batch = [];
        queued.push({ type: 'ticks', ticks: batch });
        news.resolve();
      }
      batch.push(tick);
      added(1);
    },
    push(event) {
      batch = undefined;
      queued.push(event);
      news.resolve();
      added(sizeOf(event));
    },
    async room() {
      if (!isFull || ended !== undefined) return;
      room ??= Promise.withResolvers();
      await room.promise;
    },
    end(error) {
      ended ??= { error };
      news.resolve();
      relieve();
    },
    async *events() {
      while (ended === undefined || queued.length > 0) {
        await news.promise;
        for (const event of take()) {
          yield event;
          read(event);
        }
      }
      if (ended.error !== undefined) throw ended.error;
    },
  };
}

function sizeOf(event: FeedEvent): number {
  switch (event.type) {
    case 'ticks':
      return event.ticks.length;
    case 'history':
      return event.candles.length;
    case 'rejected':
      return REJECTED_TICKS;
    case 'listings':
      return event.listings.length;
    case 'evidence':
    case 'state':
      return 1;
  }
}

// History beside the stream: candles of the past into the store, chunk by chunk, so that no trade waits for it. Ends nothing for the store's faults: they are told and tried again.
import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Candle } from '../../core/market/candle.ts';
import type { Clock } from '../../core/market/time.ts';
import type { CandleStore } from '../../store/candle-store.ts';
import { identityOf, writeUntilDone } from '../write-candles.ts';

/** Candles in one write: short enough that trades are not kept waiting. */
export const HISTORY_CHUNK = 500;
/** Histories waiting for the store; at the limit the feed waits. */
export const HISTORY_QUEUE_MAX = 64;

export interface HistoryWriter {
  /** Waits only while `HISTORY_QUEUE_MAX` are queued, and never after `signal` aborted. */
  add(candles: readonly Candle[]): Promise<void>;
  /** Resolves when all that was added is written, or `signal` aborted: what is queued then is left out. */
  written(): Promise<void>;
}

export interface HistoryWriterOptions {
  readonly store: CandleStore;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly signal: AbortSignal;
}

export function createHistoryWriter(options: HistoryWriterOptions): HistoryWriter {
  const { logger, signal } = options;
  const queue: (readonly Candle[])[] = [];
  let room = Promise.withResolvers<void>();
  let writing: Promise<void> | undefined;
  let isFailing = false;

  async function write(): Promise<void> {
    for (let next = queue[0]; next !== undefined && !signal.aborted; next = queue[0]) {
      for (let at = 0; at < next.length && !signal.aborted; at += HISTORY_CHUNK) {
        await writeChunk(next.slice(at, at + HISTORY_CHUNK));
        // The embedded store is synchronous: live trades have their turn between two chunks.
        await setImmediate();
      }
      queue.shift();
      makeRoom();
    }
    queue.length = 0;
    makeRoom();
    writing = undefined;
  }

  async function writeChunk(candles: readonly Candle[]): Promise<void> {
    const refused = await writeUntilDone({ ...options, candles, onFailure });
    if (refused === undefined) return;
    if (isFailing) logger.info('The candle store takes history again');
    isFailing = false;
    const [first] = refused;
    if (first === undefined) return;
    // One line for each chunk: a symbol of tiny prices may have every candle of years beyond the range.
    logger.error(
      identityOf(first),
      `${refused.length} candles of history not stored; the first: ${first.error.message}`,
    );
  }

  function onFailure(error: unknown, retryMs: number): void {
    isFailing = true;
    const reason = error instanceof Error ? error.message : String(error);
    logger.warn(
      `The candle store failed to take history: ${reason}; trying again in ${retryMs} ms`,
    );
  }

  function makeRoom(): void {
    room.resolve();
    room = Promise.withResolvers<void>();
  }

  return {
    async add(candles) {
      if (signal.aborted || candles.length === 0) return;
      queue.push(candles);
      writing ??= write();
      while (queue.length >= HISTORY_QUEUE_MAX) await room.promise;
    },
    async written() {
      await writing;
    },
  };
}

// One reader of the memory log: merges its topics in the log's order, and waits without turning for what is still to come.
import type { Clock, DurationMs } from '../../core/market/time.ts';
import {
  type AnyLogRecord,
  type Assignment,
  type LogConsumer,
  type LogRecord,
  POLL_RECORDS_MAX,
} from '../log.ts';
import type { Cursor } from './memory-topic.ts';

/** Longest wait a timer can make (2^31 − 1 ms). */
const TIMEOUT_MS_MAX: DurationMs = 2_147_483_647;

/** One partition, one reader, and nothing from before: the store is the memory. */
const WHOLE_LOG: Assignment = {
  revoked: [],
  added: [0],
  async *tail() {},
};

/** Why a wait is over. Without a reason each abort would make an exception with its stack, for each reader of each record. */
const OVER = 'over';

/** What a reader needs of its log. */
export interface ConsumerLog {
  append(records: readonly AnyLogRecord[], appended: () => void): Promise<void>;
  /** Resolves at once, save where readers took so much in this turn of the event loop that sockets and timers must have theirs. */
  turn(): Promise<void>;
  taken(count: number): void;
}

export interface MemoryConsumer<T> extends LogConsumer<T> {
  /** Ends a poll's wait: there may be something to read, or the consumer is closed. */
  wake(): void;
}

export function memoryConsumer<T>(options: {
  readonly group: string;
  readonly cursors: readonly Cursor[];
  readonly log: ConsumerLog;
  readonly sleep: Clock['sleep'];
  readonly onAssignment: ((assignment: Assignment) => Promise<void>) | undefined;
  readonly onCommit: () => void;
  readonly onClose: () => void;
}): MemoryConsumer<T> {
  const { cursors, log } = options;
  let wakeUp: (() => void) | undefined;
  let isClosed = false;
  let firstAssignment = options.onAssignment;

  const assertOpen = (): void => {
    if (isClosed) throw new Error(`The log's consumer of group "${options.group}" is closed`);
  };

  const arrival = async (timeoutMs: DurationMs, signal: AbortSignal): Promise<void> => {
    const over = new AbortController();
    const end = () => over.abort(OVER);
    wakeUp = end;
    signal.addEventListener('abort', end, { once: true });
    await options.sleep(Math.min(timeoutMs, TIMEOUT_MS_MAX), over.signal);
    signal.removeEventListener('abort', end);
    wakeUp = undefined;
  };

  return {
    get dropped() {
      return cursors.reduce((sum, cursor) => sum + cursor.dropped, 0);
    },
    droppedOf: ({ name }) => cursors.find(({ topic }) => topic === name)?.dropped ?? 0,
    async poll({ timeoutMs, signal }): Promise<readonly LogRecord<T>[]> {
      assertOpen();
      const first = firstAssignment;
      firstAssignment = undefined;
      if (first !== undefined) await first(WHOLE_LOG);
      await log.turn();
      if (signal.aborted || isClosed) return [];
      let records = take(cursors);
      // Nothing can be appended between the look and the wait: both are in one run of this function.
      if (records.length === 0 && timeoutMs > 0) {
        await arrival(timeoutMs, signal);
        if (signal.aborted || isClosed) return [];
        records = take(cursors);
      }
      log.taken(records.length);
      return records;
    },
    async commit(outputs) {
      assertOpen();
      await log.append(outputs, () => {
        for (const cursor of cursors) cursor.commit();
      });
      options.onCommit();
      return true;
    },
    wake: () => wakeUp?.(),
    async [Symbol.asyncDispose]() {
      if (isClosed) return;
      isClosed = true;
      for (const cursor of cursors) cursor.close();
      options.onClose();
      wakeUp?.();
    },
  };
}

/** The next records of all topics, in the order they were appended. */
function take(cursors: readonly Cursor[]): AnyLogRecord[] {
  const records: AnyLogRecord[] = [];
  while (records.length < POLL_RECORDS_MAX) {
    const record = firstOf(cursors)?.take();
    if (record === undefined) break;
    records.push(record);
  }
  return records;
}

function firstOf(cursors: readonly Cursor[]): Cursor | undefined {
  let first: Cursor | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const cursor of cursors) {
    const sequence = cursor.nextSequence;
    if (sequence !== undefined && sequence < least) {
      least = sequence;
      first = cursor;
    }
  }
  return first;
}

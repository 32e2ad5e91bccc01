// The log in this process: one partition, values by reference, nothing on disk. Bounded by each topic's retention; not for two processes.
import { setTimeout as timeout } from 'node:timers/promises';
import type { Clock } from '../../core/market/time.ts';
import type { Topic } from '../../protocol/topics.ts';
import {
  type AnyLogRecord,
  type ConsumerOptions,
  type Log,
  type LogConsumer,
  POLL_RECORDS_MAX,
} from '../log.ts';
import { type MemoryConsumer, memoryConsumer } from './memory-consumer.ts';
import { compactedTopic, type MemoryTopic, queueTopic } from './memory-topic.ts';
import { type Retention, retentionOf } from './retention.ts';

/** Records all readers together take in one turn of the event loop before sockets and timers have theirs. */
export const TURN_RECORDS_MAX = POLL_RECORDS_MAX;

interface TopicState {
  readonly topic: MemoryTopic;
  readonly consumers: Set<MemoryConsumer<unknown>>;
}

type TopicCounts = ReadonlyMap<TopicState, number>;

/** An append that waits for room, in the order they came. */
interface WaitingAppend {
  readonly records: readonly AnyLogRecord[];
  readonly appended: () => void;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export interface MemoryLogOptions {
  /** How much of each `delete` topic is kept. Default: `retentionOf`. */
  readonly retention?: (topicName: string) => Retention;
  /** What a reader's wait is timed by. Default: the machine's timers. */
  readonly clock?: Pick<Clock, 'sleep'>;
}

/**
 * A log in memory. One `append` or `commit` becomes visible as a whole. A reader of several topics
 * gets their records in the order they were appended. A topic that waits at its bound
 * (`raw_ticks`) makes later appends to it wait behind, in order; appends to other topics go on.
 * A group is known from its first consumer on: what was appended before is not kept for it, and what
 * it has not committed is kept though its consumer was closed.
 */
export function memoryLog(options: MemoryLogOptions = {}): Log {
  return new MemoryLog(options.retention ?? retentionOf, options.clock ?? TIMERS);
}

class MemoryLog implements Log {
  readonly #retention: (topicName: string) => Retention;
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #topics = new Map<string, TopicState>();
  readonly #consumers = new Set<MemoryConsumer<unknown>>();
  readonly #turn = turnBudget();
  /** As many as there are callers that await their append. */
  #waiting: WaitingAppend[] = [];
  #sequence = 0;
  #isClosed = false;

  constructor(retention: (topicName: string) => Retention, clock: Pick<Clock, 'sleep'>) {
    this.#retention = retention;
    this.#clock = clock;
  }

  append(
    records: readonly AnyLogRecord[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    return this.#append(records, () => {}, options.signal);
  }

  consumer<T>(consumerOptions: ConsumerOptions<T>): LogConsumer<T> {
    const { group, topics, onAssignment, writers = 'held' } = consumerOptions;
    if (this.#isClosed) throw closedError();
    const states = topics.map((topic) => this.#stateOf(topic));
    const consumer = memoryConsumer<T>({
      group,
      cursors: states.map(({ topic }) => topic.cursor(group, writers)),
      log: {
        append: (records, appended) => this.#append(records, appended),
        turn: this.#turn.wait,
        taken: this.#turn.taken,
      },
      sleep: (ms, signal) => this.#clock.sleep(ms, signal),
      onAssignment,
      onCommit: () => this.#appendWaiting(),
      onClose: () => {
        this.#consumers.delete(consumer);
        for (const state of states) state.consumers.delete(consumer);
      },
    });
    this.#consumers.add(consumer);
    for (const state of states) state.consumers.add(consumer);
    return consumer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { reject } of this.#waiting) reject(closedError());
    this.#waiting = [];
    for (const consumer of [...this.#consumers]) await consumer[Symbol.asyncDispose]();
  }

  /** `appended` is called in the same step as the records are added. */
  async #append(
    records: readonly AnyLogRecord[],
    appended: () => void,
    signal?: AbortSignal,
  ): Promise<void> {
    if (this.#isClosed) throw closedError();
    signal?.throwIfAborted();
    const counts = this.#countsOf(records);
    if (this.#mustWait(counts, this.#waiting)) return this.#wait(records, appended, signal);
    this.#add(records, counts);
    appended();
  }

  async #wait(
    records: readonly AnyLogRecord[],
    appended: () => void,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry: WaitingAppend = { records, appended, resolve, reject };
    this.#waiting.push(entry);
    const onAbort = (): void => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
      reject(signal?.reason);
      this.#appendWaiting();
    };
    signal?.addEventListener('abort', onAbort);
    await promise.finally(() => signal?.removeEventListener('abort', onAbort));
  }

  /** Those that now have room, in order; who waits for other topics than the ones ahead may pass them. */
  #appendWaiting(): void {
    const ahead: WaitingAppend[] = [];
    for (const entry of this.#waiting) {
      const counts = this.#countsOf(entry.records);
      if (this.#mustWait(counts, ahead)) {
        ahead.push(entry);
        continue;
      }
      this.#add(entry.records, counts);
      entry.appended();
      entry.resolve();
    }
    this.#waiting = ahead;
  }

  /** No room, or others wait already for a topic it writes to. */
  #mustWait(counts: TopicCounts, ahead: readonly WaitingAppend[]): boolean {
    for (const [{ topic }, count] of counts) if (!topic.hasRoomFor(count)) return true;
    return ahead.some(({ records }) =>
      records.some((record) => counts.has(this.#stateOf(record.topic))),
    );
  }

  #add(records: readonly AnyLogRecord[], counts: TopicCounts): void {
    for (const record of records) {
      this.#stateOf(record.topic).topic.add({ sequence: this.#sequence, record });
      this.#sequence += 1;
    }
    for (const [state, count] of counts) {
      state.topic.added(count);
      for (const consumer of state.consumers) consumer.wake();
    }
  }

  #countsOf(records: readonly AnyLogRecord[]): TopicCounts {
    const counts = new Map<TopicState, number>();
    for (const { topic } of records) {
      const state = this.#stateOf(topic);
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    return counts;
  }

  #stateOf({ name, cleanup }: Pick<Topic<unknown>, 'name' | 'cleanup'>): TopicState {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const topic =
      cleanup === 'compact' ? compactedTopic(name) : queueTopic(name, this.#retention(name));
    const state: TopicState = { topic, consumers: new Set() };
    this.#topics.set(name, state);
    return state;
  }
}

const TIMERS: Pick<Clock, 'sleep'> = {
  async sleep(ms, signal) {
    if (signal?.aborted) return;
    const cancel = new AbortController();
    const end = () => cancel.abort();
    signal?.addEventListener('abort', end, { once: true });
    // Cancelled is over, too.
    await timeout(ms, undefined, { signal: cancel.signal }).catch(() => undefined);
    signal?.removeEventListener('abort', end);
  },
};

function closedError(): Error {
  return new Error('The log is closed');
}

/**
 * Waking by promises alone is prompt, but stages that always find work would then never let the
 * event loop go on: after `TURN_RECORDS_MAX` records the next poll waits for its next turn.
 */
function turnBudget(): { readonly wait: () => Promise<void>; readonly taken: (n: number) => void } {
  let taken = 0;
  let nextTurn: PromiseWithResolvers<void> | undefined;
  return {
    async wait() {
      if (taken >= TURN_RECORDS_MAX) await nextTurn?.promise;
    },
    taken(count) {
      if (count === 0) return;
      taken += count;
      if (nextTurn !== undefined) return;
      nextTurn = Promise.withResolvers();
      setImmediate(() => {
        taken = 0;
        nextTurn?.resolve();
        nextTurn = undefined;
      });
    },
  };
}

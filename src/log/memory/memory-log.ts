// The log in this process: one partition, values by reference, nothing on disk. Bounded by each topic's retention; not for two processes.
import type { AnyLogRecord, Log } from '../log.ts';
import { POLL_RECORDS_MAX } from '../log.ts';
import { type MemoryConsumer, memoryConsumer } from './memory-consumer.ts';
import { compactedTopic, type MemoryTopic, queueTopic } from './memory-topic.ts';
import { type Retention, retentionOf } from './retention.ts';

/** Records all readers together take in one turn of the event loop before sockets and timers have theirs. */
export const TURN_RECORDS_MAX = POLL_RECORDS_MAX;

interface TopicState {
  readonly topic: MemoryTopic;
  readonly consumers: Set<MemoryConsumer<unknown>>;
}

/** An append that waits for room, in the order they came. */
interface WaitingAppend {
  readonly records: readonly AnyLogRecord[];
  readonly appended: () => void;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * A log in memory. One `append` or `commit` becomes visible as a whole. A reader of several topics
 * gets their records in the order they were appended. A topic that waits at its bound
 * (`raw_ticks`) makes later appends to it wait behind, in order; appends to other topics go on.
 * A group is known from its first consumer on, and what is appended before is not kept for it.
 */
export function memoryLog(
  options: { readonly retention?: (topicName: string) => Retention } = {},
): Log {
  const retention = options.retention ?? retentionOf;
  const topics = new Map<string, TopicState>();
  const consumers = new Set<MemoryConsumer<unknown>>();
  const turn = turnBudget();
  let waiting: WaitingAppend[] = [];
  let sequence = 0;
  let isClosed = false;

  const stateOf = (topic: AnyLogRecord['topic']): TopicState => {
    const known = topics.get(topic.name);
    if (known !== undefined) return known;
    const state: TopicState = {
      topic:
        topic.cleanup === 'compact'
          ? compactedTopic(topic.name)
          : queueTopic(topic.name, retention(topic.name)),
      consumers: new Set(),
    };
    topics.set(topic.name, state);
    return state;
  };

  const countsOf = (records: readonly AnyLogRecord[]): Map<TopicState, number> => {
    const counts = new Map<TopicState, number>();
    for (const { topic } of records) {
      const state = stateOf(topic);
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    return counts;
  };

  /** Whether it must wait: no room, or others wait already for topics it writes to. */
  const mustWait = (counts: ReadonlyMap<TopicState, number>, ahead: readonly WaitingAppend[]) => {
    for (const [{ topic }, count] of counts) if (!topic.hasRoomFor(count)) return true;
    return ahead.some(({ records }) => records.some((record) => counts.has(stateOf(record.topic))));
  };

  const add = (records: readonly AnyLogRecord[], counts: ReadonlyMap<TopicState, number>): void => {
    for (const record of records) {
      stateOf(record.topic).topic.add({ sequence, record });
      sequence += 1;
    }
    for (const [state, count] of counts) {
      state.topic.added(count);
      for (const consumer of state.consumers) consumer.wake();
    }
  };

  const append = (
    records: readonly AnyLogRecord[],
    appended: () => void,
    signal?: AbortSignal,
  ): Promise<void> => {
    if (isClosed) return Promise.reject(new Error('The log is closed'));
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const counts = countsOf(records);
    if (!mustWait(counts, waiting)) {
      add(records, counts);
      appended();
      return Promise.resolve();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry: WaitingAppend = { records, appended, resolve, reject };
    waiting.push(entry);
    const onAbort = (): void => {
      waiting = waiting.filter((other) => other !== entry);
      reject(signal?.reason);
      appendWaiting();
    };
    signal?.addEventListener('abort', onAbort);
    return promise.finally(() => signal?.removeEventListener('abort', onAbort));
  };

  /** Those that now have room, in order; who waits for other topics than the ones ahead may pass them. */
  const appendWaiting = (): void => {
    const ahead: WaitingAppend[] = [];
    for (const entry of waiting) {
      const counts = countsOf(entry.records);
      if (mustWait(counts, ahead)) {
        ahead.push(entry);
        continue;
      }
      add(entry.records, counts);
      entry.appended();
      entry.resolve();
    }
    waiting = ahead;
  };

  return {
    append: (records, appendOptions) => append(records, () => {}, appendOptions?.signal),
    consumer({ group, topics: wanted }) {
      if (isClosed) throw new Error('The log is closed');
      const states = wanted.map(stateOf);
      const consumer = memoryConsumer({
        group,
        topics: wanted,
        cursors: states.map(({ topic }) => topic.cursor(group)),
        log: { append, turn: turn.wait, taken: turn.taken },
        onCommit: appendWaiting,
        onClose() {
          consumers.delete(consumer);
          for (const state of states) state.consumers.delete(consumer);
        },
      });
      consumers.add(consumer);
      for (const state of states) state.consumers.add(consumer);
      return consumer;
    },
    async [Symbol.asyncDispose]() {
      if (isClosed) return;
      isClosed = true;
      for (const { reject } of waiting) reject(new Error('The log is closed'));
      waiting = [];
      for (const consumer of [...consumers]) await consumer[Symbol.asyncDispose]();
    },
  };
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

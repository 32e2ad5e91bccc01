// One topic of the memory log: what it keeps, how far each group has read, and a cursor for each reader. Knows nothing of waiting.
import type { AnyLogRecord } from '../log.ts';
import { type Entry, RecordQueue } from './record-queue.ts';
import type { Retention } from './retention.ts';

/** Keys of one compacted topic: 16 intervals of 6,000 symbols. Beyond it the key unchanged for longest is forgotten. */
export const COMPACTED_KEYS_MAX = 100_000;

/** A reader's place in one topic. */
export interface Cursor {
  /** The topic's name. */
  readonly topic: string;
  /** Place in the log's order of the next record for this reader; undefined where it has all. */
  readonly nextSequence: number | undefined;
  readonly dropped: number;
  /** The next record, and goes past it. */
  take(): AnyLogRecord | undefined;
  /** Counts all that was taken as read by the group. */
  commit(): void;
  close(): void;
}

export interface MemoryTopic {
  /** False where the topic's readers must make room for `count` records first. */
  hasRoomFor(count: number): boolean;
  add(entry: Entry): void;
  /** After the last `add` of a batch of `count`. */
  added(count: number): void;
  /** @throws Error where the group already reads this topic. */
  cursor(group: string, writers: 'held' | 'unheld'): Cursor;
}

/** Keeps each record until every group has committed past it; keeps nothing while there is no group. */
export function queueTopic(name: string, retention: Retention): MemoryTopic {
  const queue = new RecordQueue();
  const keys = new Set<string>();
  /** Offset each group goes on at. */
  const committed = new Map<string, number>();
  const readers = new Set<string>();
  /** Groups that nobody waits for. */
  const unheld = new Set<string>();

  const leastOf = (isCounted: (group: string) => boolean): number =>
    Math.min(
      queue.end,
      ...[...committed].filter(([group]) => isCounted(group)).map(([, at]) => at),
    );

  /** How much is kept for those that are waited for. */
  const heldSize = (): number =>
    unheld.size === 0 ? queue.size : queue.end - leastOf((group) => !unheld.has(group));

  const forgetRead = (): void => queue.forgetBefore(leastOf(() => true));

  return {
    hasRoomFor(count) {
      if (retention.atBound === 'drop-oldest') return true;
      const size = heldSize();
      return size === 0 || size + count <= retention.recordsMax;
    },
    add(entry) {
      if (committed.size === 0) return;
      keys.add(entry.record.key);
      queue.push(entry);
    },
    added(count) {
      if (retention.atBound === 'wait') {
        if (unheld.size > 0) {
          // What is kept for those that are waited for stays, however much came at once.
          const most = Math.max(retention.unheldRecordsMax, heldSize(), count);
          queue.forgetBefore(queue.end - most);
        }
        return;
      }
      const kept = Math.max(retention.recordsMaxPerKey * keys.size, count);
      queue.forgetBefore(queue.end - kept);
    },
    cursor(group, writers) {
      takeTopic(readers, group, name);
      if (writers === 'unheld') unheld.add(group);
      let next = committed.get(group) ?? queue.first;
      committed.set(group, next);
      let dropped = 0;
      /** What was forgotten at the bound meanwhile is passed over and counted. */
      const skipForgotten = (): void => {
        if (next >= queue.first) return;
        dropped += queue.first - next;
        next = queue.first;
      };
      return {
        topic: name,
        get nextSequence() {
          skipForgotten();
          return queue.at(next)?.sequence;
        },
        get dropped() {
          skipForgotten();
          return dropped;
        },
        take() {
          skipForgotten();
          const entry = queue.at(next);
          if (entry !== undefined) next += 1;
          return entry?.record;
        },
        commit() {
          committed.set(group, next);
          forgetRead();
        },
        close: () => readers.delete(group),
      };
    },
  };
}

/** Keeps each key's newest record, whoever reads. A reader gets the keys that changed since it read them: never a backlog (I11). */
export function compactedTopic(name: string): MemoryTopic {
  /** Ordered by their last change. */
  const newest = new Map<string, Entry>();
  /** Sequence of the last record each group has read. */
  const committed = new Map<string, number>();
  const readers = new Set<string>();
  const changes = new Set<Map<string, Entry>>();

  return {
    hasRoomFor: () => true,
    add(entry) {
      replace(newest, entry);
      for (const changed of changes) replace(changed, entry);
    },
    added() {},
    cursor(group) {
      takeTopic(readers, group, name);
      const start = committed.get(group) ?? -1;
      const changed = new Map([...newest].filter(([, entry]) => entry.sequence > start));
      changes.add(changed);
      const peek = firstReader(changed);
      let last = start;
      return {
        topic: name,
        get nextSequence() {
          return peek()?.sequence;
        },
        dropped: 0,
        take() {
          const entry = peek();
          if (entry === undefined) return undefined;
          changed.delete(entry.record.key);
          last = entry.sequence;
          return entry.record;
        },
        commit: () => committed.set(group, last),
        close() {
          changes.delete(changed);
          readers.delete(group);
        },
      };
    },
  };
}

/** The log has one partition, so a second reader of a group would never get a record: a fault in how stages are put together. */
function takeTopic(readers: Set<string>, group: string, name: string): void {
  if (readers.has(group)) {
    throw new Error(
      `Expected one reader of topic "${name}" in group "${group}", was asked for a second: close the first or use another group`,
    );
  }
  readers.add(group);
}

/** Puts the key last, so that the map stays ordered by change; at the bound the key unchanged for longest is forgotten. */
function replace(entries: Map<string, Entry>, entry: Entry): void {
  const { key } = entry.record;
  if (!entries.delete(key) && entries.size >= COMPACTED_KEYS_MAX) {
    for (const oldest of entries.keys()) {
      entries.delete(oldest);
      break;
    }
  }
  entries.set(key, entry);
}

/**
 * How to see the map's first entry while others add and delete. Keeps one iterator going: a new one
 * for each look would step over the places of all deleted entries again, quadratic in the keys.
 */
function firstReader(entries: Map<string, Entry>): () => Entry | undefined {
  let iterator = entries.values();
  let first: Entry | undefined;
  return () => {
    if (first !== undefined && entries.get(first.record.key) === first) return first;
    let step = iterator.next();
    if (step.done === true) {
      // An iterator that once was at the end stays there.
      iterator = entries.values();
      step = iterator.next();
    }
    first = step.done === true ? undefined : step.value;
    return first;
  };
}

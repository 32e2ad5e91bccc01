// Fetched bytes → records of their topics. What a topic cannot decode is handed over, never passed off as a record, never an end.
import { type EpochMs, epochMs } from '../../core/market/time.ts';
import { DecodeError } from '../../protocol/decode-error.ts';
import type { Topic } from '../../protocol/topics.ts';
import type { LogRecord, UndecodableRecord } from '../log.ts';
import type { BatchCursor } from './batch-cursor.ts';

/** Keys remembered as text. At the limit all are forgotten. */
const KEYS_MAX = 10_000;

/** `passing`: the record, and its value where the topic can, are overwritten by the next. */
export type Keeping = 'kept' | 'passing';

export class RecordDecoder<T> {
  private readonly topic: Topic<T>;
  private readonly onUndecodable: ((undecodable: UndecodableRecord) => void) | undefined;
  private readonly keys = new Map<string, string>();
  private readonly passing: PassingRecord<T>;

  constructor(
    topic: Topic<T>,
    onUndecodable: ((undecodable: UndecodableRecord) => void) | undefined,
  ) {
    this.topic = topic;
    this.onUndecodable = onUndecodable;
    this.passing = new PassingRecord(topic, (cursor) => this.key(cursor));
  }

  /** The record `cursor` stands on; undefined where it is none of its topic. @throws DecodeError where nobody takes those. */
  decode(
    cursor: BatchCursor,
    partition: number,
    keeping: Keeping = 'kept',
  ): LogRecord<T> | undefined {
    const { topic } = this;
    // A tombstone: it takes its key's record away, and we never write one.
    if (cursor.valueEnd < cursor.valueStart) return undefined;
    try {
      const timestamp = epochMs(cursor.timestamp);
      if (keeping === 'passing') {
        return this.passing.set(cursor, partition, timestamp, this.passingValue(cursor));
      }
      return { topic, key: this.key(cursor), value: this.value(cursor), timestamp, partition };
    } catch (error) {
      const isExpected = error instanceof DecodeError || error instanceof RangeError;
      if (!isExpected || this.onUndecodable === undefined) throw error;
      this.onUndecodable({
        topicName: topic.name,
        partition,
        offset: cursor.offset,
        key: this.key(cursor),
        reason: error.message,
        payload: text(cursor),
      });
      return undefined;
    }
  }

  private value(cursor: BatchCursor): T {
    const { topic } = this;
    const { bytes, valueStart, valueEnd } = cursor;
    return topic.decodeBytes?.(bytes, valueStart, valueEnd) ?? topic.decode(text(cursor));
  }

  private passingValue(cursor: BatchCursor): T {
    const { bytes, valueStart, valueEnd } = cursor;
    return this.topic.scanBytes?.(bytes, valueStart, valueEnd) ?? this.value(cursor);
  }

  /** One text object for a key, however many records it has. */
  private key({ bytes, keyStart, keyEnd }: BatchCursor): string {
    const key = bytes.toString('utf8', keyStart, keyEnd);
    const known = this.keys.get(key);
    if (known !== undefined) return known;
    if (this.keys.size >= KEYS_MAX) this.keys.clear();
    this.keys.set(key, key);
    return key;
  }
}

/** One object for all records. Its key is made only for who asks. */
class PassingRecord<T> implements LogRecord<T> {
  readonly topic: Topic<T>;
  partition = 0;
  timestamp = 0 as EpochMs;
  private readonly keyOf: (cursor: BatchCursor) => string;
  private cursor: BatchCursor | undefined;
  private current: T | undefined;

  constructor(topic: Topic<T>, keyOf: (cursor: BatchCursor) => string) {
    this.topic = topic;
    this.keyOf = keyOf;
  }

  get key(): string {
    return this.cursor === undefined ? '' : this.keyOf(this.cursor);
  }

  get value(): T {
    return this.current as T;
  }

  set(cursor: BatchCursor, partition: number, timestamp: EpochMs, value: T): this {
    this.cursor = cursor;
    this.partition = partition;
    this.timestamp = timestamp;
    this.current = value;
    return this;
  }
}

function text({ bytes, valueStart, valueEnd }: BatchCursor): string {
  return bytes.toString('utf8', valueStart, valueEnd);
}

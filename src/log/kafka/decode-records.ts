// Fetched bytes → records of their topics. What a topic cannot decode is handed over, never passed off as a record, never an end.
import { epochMs } from '../../core/market/time.ts';
import { DecodeError } from '../../protocol/decode-error.ts';
import type { Topic } from '../../protocol/topics.ts';
import type { LogRecord, UndecodableRecord } from '../log.ts';
import type { BatchCursor } from './batch-cursor.ts';

/** Keys remembered as text. At the limit all are forgotten. */
const KEYS_MAX = 10_000;

export class RecordDecoder<T> {
  private readonly topic: Topic<T>;
  private readonly onUndecodable: ((undecodable: UndecodableRecord) => void) | undefined;
  private readonly keys = new Map<string, string>();

  constructor(
    topic: Topic<T>,
    onUndecodable: ((undecodable: UndecodableRecord) => void) | undefined,
  ) {
    this.topic = topic;
    this.onUndecodable = onUndecodable;
  }

  /** The record `cursor` stands on; undefined where it is none of its topic. @throws DecodeError where nobody takes those. */
  decode(cursor: BatchCursor, partition: number): LogRecord<T> | undefined {
    const { topic } = this;
    // A tombstone: it takes its key's record away, and we never write one.
    if (cursor.valueEnd < cursor.valueStart) return undefined;
    try {
      const timestamp = epochMs(cursor.timestamp);
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

function text({ bytes, valueStart, valueEnd }: BatchCursor): string {
  return bytes.toString('utf8', valueStart, valueEnd);
}

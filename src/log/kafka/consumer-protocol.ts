// What a group's members tell each other, in Kafka's own form (version 0), so that its tools can show who reads what.
// Beside it, as user data: the partitions a member has, and who all the members are.
import { Reader, Writer } from '@platformatic/kafka';

export interface Subscription {
  readonly topics: readonly string[];
  /** Partition numbers this member has now. */
  readonly owned: readonly number[];
}

export interface Membership {
  /** Partition numbers, of every topic. */
  readonly partitions: readonly number[];
  /** Everyone in the group now: owners of other names are gone. */
  readonly members: readonly string[];
}

const VERSION = 0;

export function encodeSubscription({ topics, owned }: Subscription): Buffer {
  return Writer.create()
    .appendInt16(VERSION)
    .appendArray(
      [...topics].sort(),
      (writer, topic) => writer.appendString(topic, false),
      false,
      false,
    )
    .appendBytes(Buffer.from(JSON.stringify({ owned })), false).buffer;
}

export function encodeAssignment(
  { partitions, members }: Membership,
  topics: readonly string[],
): Buffer {
  return Writer.create()
    .appendInt16(VERSION)
    .appendArray(
      partitions.length === 0 ? [] : [...topics].sort(),
      (writer, topic) =>
        writer
          .appendString(topic, false)
          .appendArray([...partitions], (each, number) => each.appendInt32(number), false, false),
      false,
      false,
    )
    .appendBytes(Buffer.from(JSON.stringify({ partitions, members })), false).buffer;
}

export function decodeOwned(metadata: Buffer | null | undefined): readonly number[] {
  if (metadata === null || metadata === undefined || metadata.length === 0) return [];
  const reader = Reader.from(metadata);
  reader.readInt16();
  reader.readArray((each) => each.readString(false), false, false);
  const { owned = [] } = parse(reader.readBytes(false)) as { owned?: readonly number[] };
  return owned;
}

export function decodeAssignment(assignment: Buffer): Membership {
  if (assignment.length === 0) return { partitions: [], members: [] };
  const reader = Reader.from(assignment);
  reader.readInt16();
  const skip = (each: Reader): void => {
    each.readString(false);
    each.readArray((one) => one.readInt32(), false, false);
  };
  reader.readArray(skip, false, false);
  return parse(reader.readBytes(false)) as Membership;
}

function parse(bytes: Buffer): unknown {
  return JSON.parse(bytes.length === 0 ? '{}' : bytes.toString());
}

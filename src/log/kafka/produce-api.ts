// The Produce request with batches we encoded ourselves, and its answer partition by partition. The rest of a connection is the package's.
import { createAPI, protocolErrorsCodesById, type Reader, Writer } from '@platformatic/kafka';

export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
}

export interface PartitionAnswer {
  readonly topic: string;
  readonly partition: number;
  /** The protocol's name of what went wrong; undefined where it was written. */
  readonly fault: string | undefined;
}

const API_KEY = 0;
/** The oldest version with compact strings; all brokers since 2.4 have it. */
const API_VERSION = 9;
const ACKS_ALL = -1;

type Arguments = [
  transactionalId: string | null,
  timeoutMs: number,
  batches: readonly PartitionBatch[],
];

function createRequest(...[transactionalId, timeoutMs, batches]: Arguments): Writer {
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(ACKS_ALL)
    .appendInt32(timeoutMs)
    .appendArray([...byTopic(batches)], (writer, [topic, ofTopic]) => {
      writer.appendString(topic).appendArray(ofTopic, (each, { partition, batch }) => {
        each
          .appendInt32(partition)
          .appendUnsignedVarInt(batch.length + 1)
          .append(batch);
      });
    })
    .appendTaggedFields();
}

function parseResponse(
  _correlationId: number,
  _apiKey: number,
  _apiVersion: number,
  reader: Reader,
): PartitionAnswer[] {
  return reader
    .readArray((each) => {
      const topic = each.readString();
      return each.readArray((one) => {
        const partition = one.readInt32();
        const code = one.readInt16();
        one.skip(3 * 8); // base offset, append time, log start
        one.readArray((record) => {
          record.readInt32();
          record.readNullableString();
        });
        one.readNullableString();
        return { topic, partition, fault: faultName(code) };
      });
    })
    .flat();
}

export const produceApi = createAPI<Arguments, PartitionAnswer[]>(
  API_KEY,
  API_VERSION,
  createRequest,
  parseResponse,
);

export function faultName(code: number): string | undefined {
  if (code === 0) return undefined;
  const names: Readonly<Record<number, string>> = protocolErrorsCodesById;
  return names[code] ?? `error ${code}`;
}

function byTopic(batches: readonly PartitionBatch[]): Map<string, PartitionBatch[]> {
  const topics = new Map<string, PartitionBatch[]>();
  for (const each of batches) {
    const list = topics.get(each.topic);
    if (list === undefined) topics.set(each.topic, [each]);
    else list.push(each);
  }
  return topics;
}

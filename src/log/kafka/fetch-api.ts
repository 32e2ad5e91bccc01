// The Fetch request whose answer leaves each partition's batches as they came: the package's own decoder makes objects of every record.
import { createAPI, fetchV13, type Reader } from '@platformatic/kafka';
import type { AbortedTransaction } from './batch-cursor.ts';
import { faultName } from './produce-api.ts';

export interface FetchedPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly fault: string | undefined;
  readonly logStartOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  readonly bytes: Buffer;
}

export interface FetchAnswer {
  readonly fault: string | undefined;
  readonly partitions: readonly FetchedPartition[];
}

const API_KEY = 1;
/** Topics by id, no replica details: all brokers since 3.1 have it. */
const API_VERSION = 13;

function parseResponse(
  _correlationId: number,
  _apiKey: number,
  _apiVersion: number,
  reader: Reader,
): FetchAnswer {
  reader.readInt32(); // throttle time
  const fault = faultName(reader.readInt16());
  reader.readInt32(); // session
  const topics = reader.readArray((each) => {
    const topicId = each.readUUID();
    return each.readArray((one) => parsePartition(one, topicId));
  });
  return { fault, partitions: topics.flat() };
}

function parsePartition(reader: Reader, topicId: string): FetchedPartition {
  const partition = reader.readInt32();
  const fault = faultName(reader.readInt16());
  reader.skip(2 * 8); // high watermark, last stable offset
  const logStartOffset = Number(reader.readInt64());
  const aborted = reader.readNullableArray((each) => ({
    producerId: each.readInt64(),
    firstOffset: each.readInt64(),
  }));
  reader.readInt32(); // preferred replica
  const size = reader.readUnsignedVarInt() - 1;
  const { buffer, position } = reader;
  const bytes = size > 0 ? buffer.subarray(position, position + size).buffer : Buffer.alloc(0);
  if (size > 0) reader.skip(size);
  return { topicId, partition, fault, logStartOffset, aborted: aborted ?? [], bytes };
}

export const fetchApi = createAPI<Parameters<typeof fetchV13.createRequest>, FetchAnswer>(
  API_KEY,
  API_VERSION,
  fetchV13.createRequest,
  parseResponse,
);

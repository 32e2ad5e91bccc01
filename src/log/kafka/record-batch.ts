// Kafka's record batch, version 2: our records → its bytes in one pass. Reading is batch-cursor.ts.
import { zstdCompressSync } from 'node:zlib';
import { crc32c } from '@platformatic/kafka';

export interface OutgoingRecord {
  readonly key: string;
  readonly value: string;
  /** Milliseconds. */
  readonly timestamp: number;
}

export interface BatchOptions {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly sequence: number;
  readonly isTransactional: boolean;
}

export const HEADER_BYTES = 61;
export const COMPRESSION_MASK = 0b111;
export const TRANSACTIONAL = 1 << 4;
export const CONTROL = 1 << 5;
const ZSTD = 4;
const MAGIC = 2;

/** Below this zstd costs more than it saves. */
const COMPRESS_BYTES_MIN = 2_000;

/** Each record says which version of its topic's JSON it is. */
const HEADER_KEY = 'schema';
const HEADER_VALUE = '1';
/** More than any record's numbers and headers take beside key and value. */
const RECORD_OVERHEAD_BYTES_MAX = 64;

/** Grows to the largest batch; whoever encodes copies out before the next. */
let scratch = Buffer.allocUnsafe(64 * 1_024);

/** About how many bytes a record takes before compression, never too few. */
export function recordBytesMax({ key, value }: OutgoingRecord): number {
  return (key.length + value.length) * 3 + RECORD_OVERHEAD_BYTES_MAX;
}

/** `records` are of one partition, at least one, in order. */
export function encodeBatch(records: readonly OutgoingRecord[], options: BatchOptions): Buffer {
  const baseTimestamp = records[0]?.timestamp ?? 0;
  let at = 0;
  let maxTimestamp = baseTimestamp;
  for (const [index, record] of records.entries()) {
    reserve(at, recordBytesMax(record));
    at = writeRecord(record, index, record.timestamp - baseTimestamp, at);
    if (record.timestamp > maxTimestamp) maxTimestamp = record.timestamp;
  }
  const isCompressed = at >= COMPRESS_BYTES_MIN;
  const body = isCompressed ? zstdCompressSync(scratch.subarray(0, at)) : scratch.subarray(0, at);
  const batch = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(-1, 12);
  batch.writeInt8(MAGIC, 16);
  const attributes = (isCompressed ? ZSTD : 0) | (options.isTransactional ? TRANSACTIONAL : 0);
  batch.writeInt16BE(attributes, 21);
  batch.writeInt32BE(records.length - 1, 23);
  batch.writeBigInt64BE(BigInt(baseTimestamp), 27);
  batch.writeBigInt64BE(BigInt(maxTimestamp), 35);
  batch.writeBigInt64BE(options.producerId, 43);
  batch.writeInt16BE(options.producerEpoch, 51);
  batch.writeInt32BE(options.sequence, 53);
  batch.writeInt32BE(records.length, 57);
  body.copy(batch, HEADER_BYTES);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

function writeRecord(
  { key, value }: OutgoingRecord,
  offsetDelta: number,
  timestampDelta: number,
  start: number,
): number {
  const keyBytes = Buffer.byteLength(key);
  const valueBytes = Buffer.byteLength(value);
  const bodyBytes =
    1 +
    varLongBytes(timestampDelta) +
    varIntBytes(offsetDelta) +
    varIntBytes(keyBytes) +
    keyBytes +
    varIntBytes(valueBytes) +
    valueBytes +
    1 +
    2 +
    HEADER_KEY.length +
    HEADER_VALUE.length;
  let at = writeVarInt(bodyBytes, start);
  scratch[at++] = 0;
  at = writeVarLong(timestampDelta, at);
  at = writeVarInt(offsetDelta, at);
  at = writeVarInt(keyBytes, at);
  at += scratch.write(key, at);
  at = writeVarInt(valueBytes, at);
  at += scratch.write(value, at);
  at = writeVarInt(1, at);
  at = writeVarInt(HEADER_KEY.length, at);
  at += scratch.write(HEADER_KEY, at, 'latin1');
  at = writeVarInt(HEADER_VALUE.length, at);
  return at + scratch.write(HEADER_VALUE, at, 'latin1');
}

function reserve(used: number, more: number): void {
  if (used + more <= scratch.length) return;
  const larger = Buffer.allocUnsafe(Math.max(scratch.length * 2, used + more));
  scratch.copy(larger, 0, 0, used);
  scratch = larger;
}

/** Zigzag; lengths and counts, all far below 2^30. */
function writeVarInt(value: number, start: number): number {
  let at = start;
  let rest = value * 2;
  for (; rest > 0x7f; rest >>>= 7) scratch[at++] = (rest & 0x7f) | 0x80;
  scratch[at++] = rest;
  return at;
}

/** Zigzag of a whole number of up to 52 bits. */
function writeVarLong(value: number, start: number): number {
  let at = start;
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) scratch[at++] = (rest % 128) | 0x80;
  scratch[at++] = rest;
  return at;
}

function varIntBytes(value: number): number {
  return varLongBytes(value);
}

function varLongBytes(value: number): number {
  let bytes = 1;
  for (let rest = value < 0 ? -2 * value - 1 : 2 * value; rest > 0x7f; bytes++) {
    rest = Math.floor(rest / 128);
  }
  return bytes;
}

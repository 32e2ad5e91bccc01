// Walks fetched record batches record by record, without making an object for each. Leaves out what is no record for a reader:
// control records, aborted transactions (the package's own filter lets them through), and what lies before the offset asked for.
import { compressionsAlgorithmsByBitmask, crc32c } from '@platformatic/kafka';
import { COMPRESSION_MASK, CONTROL, HEADER_BYTES, TRANSACTIONAL } from './record-batch.ts';

/** A transaction of `producerId` that was aborted; its first record is at `firstOffset`. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

export interface FetchedBatches {
  /** Whole batches, and perhaps the beginning of one more, which is left for the next fetch. */
  readonly bytes: Buffer;
  /** Offset of the first record wanted. */
  readonly from: number;
  readonly aborted: readonly AbortedTransaction[];
}

const LOG_APPEND_TIME = 1 << 3;
const LENGTH_AT = 8;
/** Base offset and length: what comes before the counted bytes. */
const PREFIX_BYTES = 12;
const CRC_FROM = 21;
const ABORT_MARKER = 0;

/** Bytes of a log that are not what was written: a fault of a disk or of memory. */
export class DamagedBatchError extends Error {
  override readonly name = 'DamagedBatchError';
}

/** Stands on one record at a time: `next` goes on. Offsets are whole numbers below 2^53. */
export class BatchCursor {
  /** Of the record it stands on; all of `bytes` between the ends. */
  bytes: Buffer = Buffer.alloc(0);
  offset = 0;
  timestamp = 0;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  /** The first offset not passed yet: also beyond what was left out. */
  nextOffset: number;
  private readonly fetched: FetchedBatches;
  private readonly aborted: AbortedTransaction[];
  private readonly abortedProducers = new Set<bigint>();
  /** Where the next batch begins. */
  private batchAt = 0;
  private at = 0;
  private left = 0;
  private baseOffset = 0;
  private baseTimestamp = 0;
  private appendTimestamp = -1;
  private batchEndOffset = 0;

  constructor(fetched: FetchedBatches) {
    this.fetched = fetched;
    this.nextOffset = fetched.from;
    this.aborted = [...fetched.aborted].sort((a, b) => Number(a.firstOffset - b.firstOffset));
  }

  /** False at the end. @throws DamagedBatchError */
  next(): boolean {
    for (;;) {
      while (this.left > 0) {
        this.record();
        if (this.offset < this.fetched.from) continue;
        this.nextOffset = this.left === 0 ? this.batchEndOffset : this.offset + 1;
        return true;
      }
      if (!this.batch()) return false;
    }
  }

  /** Enters the next batch that has records for us; false where there is none. */
  private batch(): boolean {
    const { bytes } = this.fetched;
    while (this.batchAt + HEADER_BYTES <= bytes.length) {
      const start = this.batchAt;
      const end = start + PREFIX_BYTES + bytes.readInt32BE(start + LENGTH_AT);
      if (end > bytes.length) return false;
      this.batchAt = end;
      this.baseOffset = Number(bytes.readBigInt64BE(start));
      const lastOffset = this.baseOffset + bytes.readInt32BE(start + 23);
      this.batchEndOffset = lastOffset + 1;
      if (lastOffset < this.fetched.from) continue;
      this.check(start, end);
      const attributes = bytes.readInt16BE(start + 21);
      if (this.isLeftOut(start, attributes, lastOffset)) {
        this.nextOffset = lastOffset + 1;
        continue;
      }
      this.open(start, end, attributes);
      if (this.left > 0) return true;
      this.nextOffset = lastOffset + 1;
    }
    return false;
  }

  private check(start: number, end: number): void {
    const { bytes } = this.fetched;
    if (bytes[start + 16] !== 2) {
      throw new DamagedBatchError(
        `Expected a record batch of version 2 at offset ${this.baseOffset}, was version ${bytes[start + 16]}`,
      );
    }
    const expected = bytes.readUInt32BE(start + 17);
    const found = crc32c(bytes.subarray(start + CRC_FROM, end));
    if (found === expected) return;
    throw new DamagedBatchError(
      `Expected checksum ${expected} of the batch at offset ${this.baseOffset}, was ${found}`,
    );
  }

  private isLeftOut(start: number, attributes: number, lastOffset: number): boolean {
    const { bytes } = this.fetched;
    for (let first = this.aborted[0]; first !== undefined; first = this.aborted[0]) {
      if (Number(first.firstOffset) > lastOffset) break;
      this.abortedProducers.add(first.producerId);
      this.aborted.shift();
    }
    if ((attributes & CONTROL) !== 0) {
      if (this.markerOf(start) === ABORT_MARKER) {
        this.abortedProducers.delete(bytes.readBigInt64BE(start + 43));
      }
      return true;
    }
    if ((attributes & TRANSACTIONAL) === 0 || this.abortedProducers.size === 0) return false;
    return this.abortedProducers.has(bytes.readBigInt64BE(start + 43));
  }

  /** A control batch's one record has its type in the second half of its key. */
  private markerOf(start: number): number {
    this.open(start, this.batchAt, 0);
    this.record();
    return this.bytes.readInt16BE(this.keyStart + 2);
  }

  private open(start: number, end: number, attributes: number): void {
    const { bytes } = this.fetched;
    this.baseTimestamp = Number(bytes.readBigInt64BE(start + 27));
    this.appendTimestamp =
      (attributes & LOG_APPEND_TIME) === 0 ? -1 : Number(bytes.readBigInt64BE(start + 35));
    this.left = bytes.readInt32BE(start + 57);
    const compression = attributes & COMPRESSION_MASK;
    if (compression === 0) {
      this.bytes = bytes;
      this.at = start + HEADER_BYTES;
      return;
    }
    const algorithm = compressionsAlgorithmsByBitmask[compression];
    if (algorithm === undefined) {
      throw new DamagedBatchError(`Expected a known compression, was ${compression}`);
    }
    this.bytes = algorithm.decompressSync(bytes.subarray(start + HEADER_BYTES, end));
    this.at = 0;
  }

  private record(): void {
    this.left--;
    const length = this.varInt();
    const end = this.at + length;
    this.at++;
    const timestampDelta = this.varLong();
    this.timestamp =
      this.appendTimestamp < 0 ? this.baseTimestamp + timestampDelta : this.appendTimestamp;
    this.offset = this.baseOffset + this.varInt();
    const keyLength = this.varInt();
    this.keyStart = this.at;
    this.keyEnd = this.at = this.at + Math.max(keyLength, 0);
    const valueLength = this.varInt();
    this.valueStart = this.at;
    this.valueEnd = this.at + Math.max(valueLength, 0);
    // A record without a value (a tombstone) is told by an end before its start.
    if (valueLength < 0) this.valueEnd = this.valueStart - 1;
    this.at = end;
  }

  private varInt(): number {
    const { bytes } = this;
    let byte = bytes[this.at++] as number;
    let value = byte & 0x7f;
    for (let shift = 7; byte > 0x7f; shift += 7) {
      byte = bytes[this.at++] as number;
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  private varLong(): number {
    const { bytes } = this;
    let byte = bytes[this.at++] as number;
    let value = byte & 0x7f;
    for (let scale = 128; byte > 0x7f; scale *= 128) {
      byte = bytes[this.at++] as number;
      value += (byte & 0x7f) * scale;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

/** Offset after the last whole batch; `from` where there is none. What a next fetch asks for while this one is still being read. */
export function endOffsetOf({ bytes, from }: FetchedBatches): number {
  let end = from;
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const next = at + PREFIX_BYTES + bytes.readInt32BE(at + LENGTH_AT);
    if (next > bytes.length) break;
    end = Math.max(end, Number(bytes.readBigInt64BE(at)) + bytes.readInt32BE(at + 23) + 1);
    at = next;
  }
  return end;
}

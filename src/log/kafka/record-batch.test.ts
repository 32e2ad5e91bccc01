// Our encoder and our cursor, one against the other and against what Kafka's format says of transactions.
import '../../../test/property-seed.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type AbortedTransaction,
  BatchCursor,
  DamagedBatchError,
  endOffsetOf,
} from './batch-cursor.ts';
import { encodeBatch, type OutgoingRecord } from './record-batch.ts';

const identity = { producerId: 7n, producerEpoch: 2, sequence: 5, isTransactional: false };

function batchAt(
  offset: number,
  values: readonly string[],
  options: Partial<typeof identity> = {},
): Buffer {
  const records = values.map((value) => ({ key: 'BTCUSDT', value, timestamp: 1_000 }));
  const batch = encodeBatch(records, { ...identity, ...options });
  batch.writeBigInt64BE(BigInt(offset), 0);
  return batch;
}

/** A control batch: one record whose key says how the producer's transaction ended. */
function marker(offset: number, producerId: bigint, type: 'abort' | 'commit'): Buffer {
  const key = String.fromCharCode(0, 0, 0, type === 'abort' ? 0 : 1);
  const batch = encodeBatch([{ key, value: '', timestamp: 0 }], { ...identity, producerId });
  batch.writeBigInt64BE(BigInt(offset), 0);
  batch.writeInt16BE(0b11_0000, 21);
  return withChecksum(batch);
}

function withChecksum(batch: Buffer): Buffer {
  // The cursor checks it: take the sum it expects from its own message.
  try {
    new BatchCursor({ bytes: batch, from: 0, aborted: [] }).next();
  } catch (error) {
    const found = /was (\d+)$/.exec(error instanceof Error ? error.message : '')?.[1];
    batch.writeUInt32BE(Number(found), 17);
  }
  return batch;
}

function read(bytes: Buffer, from = 0, aborted: readonly AbortedTransaction[] = []) {
  const cursor = new BatchCursor({ bytes, from, aborted });
  const records: (OutgoingRecord & { readonly offset: number })[] = [];
  while (cursor.next()) {
    const text = (start: number, end: number) => cursor.bytes.toString('utf8', start, end);
    records.push({
      key: text(cursor.keyStart, cursor.keyEnd),
      value: text(cursor.valueStart, cursor.valueEnd),
      timestamp: cursor.timestamp,
      offset: cursor.offset,
    });
  }
  return { records, nextOffset: cursor.nextOffset };
}

const values = (bytes: Buffer, from?: number, aborted?: readonly AbortedTransaction[]) =>
  read(bytes, from, aborted).records.map(({ value }) => value);

describe('a record batch', () => {
  it('gives back key, value and timestamp of every record, compressed or not', () => {
    const record = fc.record({
      key: fc.string({ unit: 'binary', maxLength: 20 }),
      value: fc.string({ unit: 'binary', maxLength: 300 }),
      timestamp: fc.integer({ min: 0, max: 253_402_300_799_999 }),
    });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 60 }), (records) => {
        const got = read(encodeBatch(records, identity)).records;
        assert.deepEqual(
          got,
          records.map((each, offset) => ({ ...each, offset })),
        );
      }),
    );
  });

  it('is refused where a bit of it has changed', () => {
    const bytes = batchAt(0, ['a', 'b']);
    bytes[70] = (bytes[70] ?? 0) ^ 1;
    assert.throws(() => read(bytes), DamagedBatchError);
  });

  it('begins at the offset asked for, though the batch begins before', () => {
    const bytes = Buffer.concat([batchAt(10, ['a', 'b', 'c']), batchAt(13, ['d'])]);
    const { records, nextOffset } = read(bytes, 12);
    assert.deepEqual(
      records.map(({ offset }) => offset),
      [12, 13],
    );
    assert.equal(nextOffset, 14);
  });

  it('leaves a batch that was cut for the next fetch', () => {
    const whole = batchAt(0, ['a']);
    const bytes = Buffer.concat([whole, batchAt(1, ['b']).subarray(0, 65)]);
    assert.deepEqual(values(bytes), ['a']);
    assert.equal(endOffsetOf({ bytes, from: 0, aborted: [] }), 1);
  });
});

describe('transactions in fetched batches', () => {
  const open = { isTransactional: true };

  it('passes over aborted records whose marker is not in the same answer', () => {
    const bytes = Buffer.concat([batchAt(0, ['aborted'], open), batchAt(1, ['other'])]);
    assert.deepEqual(values(bytes, 0, [{ producerId: 7n, firstOffset: 0n }]), ['other']);
  });

  it('passes over both of two aborts of one producer, and gives what it committed between', () => {
    const bytes = Buffer.concat([
      batchAt(0, ['aborted 1'], open),
      marker(1, 7n, 'abort'),
      batchAt(2, ['committed'], open),
      marker(3, 7n, 'commit'),
      batchAt(4, ['aborted 2'], open),
      marker(5, 7n, 'abort'),
      batchAt(6, ['last'], open),
    ]);
    const aborted = [
      { producerId: 7n, firstOffset: 4n },
      { producerId: 7n, firstOffset: 0n },
    ];
    assert.deepEqual(values(bytes, 0, aborted), ['committed', 'last']);
    assert.equal(read(bytes, 0, aborted).nextOffset, 7);
  });

  it('gives what others wrote between, also without a transaction', () => {
    const bytes = Buffer.concat([
      batchAt(0, ['aborted'], open),
      batchAt(1, ['plain']),
      batchAt(2, ['of another'], { ...open, producerId: 8n }),
      marker(3, 7n, 'abort'),
    ]);
    assert.deepEqual(values(bytes, 0, [{ producerId: 7n, firstOffset: 0n }]), [
      'plain',
      'of another',
    ]);
  });

  it('ends behind the markers, though no record follows', () => {
    const bytes = Buffer.concat([batchAt(0, ['a'], open), marker(1, 7n, 'commit')]);
    assert.equal(read(bytes).nextOffset, 2);
  });
});

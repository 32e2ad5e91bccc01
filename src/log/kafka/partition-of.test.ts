// The key's partition is the one Kafka's own clients choose.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { murmur2, partitionOf } from './partition-of.ts';

describe('partitionOf', () => {
  it('hashes as Kafka does', () => {
    // @see org.apache.kafka.common.utils.UtilsTest.testMurmur2
    const known: Readonly<Record<string, number>> = {
      '21': -973932308,
      foobar: -790332482,
      'a-little-bit-long-string': -985981536,
      'a-little-bit-longer-string': -1486304829,
      lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
      abc: 479470107,
    };
    for (const [key, hash] of Object.entries(known)) {
      assert.equal(murmur2(Buffer.from(key)), hash, key);
    }
  });

  it('drops the sign, so that counts that are no power of two agree too', () => {
    assert.equal(partitionOf('foobar', 3), (-790332482 & 0x7fffffff) % 3);
    assert.equal(partitionOf('foobar', 12), (-790332482 & 0x7fffffff) % 12);
  });
});

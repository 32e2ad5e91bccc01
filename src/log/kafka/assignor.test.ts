// What one member decides for all: every partition once, even shares, and as few moves as that allows.
import '../../../test/property-seed.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { assign, type Claim } from './assignor.ts';

const claims = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 })
  .chain((names) =>
    fc.tuple(
      ...names.map((memberId) =>
        fc.record({
          memberId: fc.constant(memberId),
          owned: fc.uniqueArray(fc.nat({ max: 20 })),
        }),
      ),
    ),
  );

describe('assign', () => {
  it('gives every partition to one member, and shares that differ by one at most', () => {
    fc.assert(
      fc.property(claims, fc.integer({ min: 0, max: 16 }), (members: Claim[], partitions) => {
        const shares = [...assign(members, partitions).values()];
        assert.deepEqual(
          shares.flat().sort((a, b) => a - b),
          Array.from({ length: partitions }, (_, number) => number),
        );
        const sizes = shares.map(({ length }) => length);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
      }),
    );
  });

  it('moves nothing where the shares are even already', () => {
    const members = [
      { memberId: 'a', owned: [1, 3] },
      { memberId: 'b', owned: [0, 2] },
    ];
    assert.deepEqual(Object.fromEntries(assign(members, 4)), { a: [1, 3], b: [0, 2] });
  });

  it('takes from the largest share only what a newcomer needs', () => {
    const members = [
      { memberId: 'a', owned: [0, 1] },
      { memberId: 'b', owned: [2, 3] },
      { memberId: 'c', owned: [] },
    ];
    const shares = assign(members, 4);
    assert.equal(shares.get('c')?.length, 1);
    const kept = [...(shares.get('a') ?? []), ...(shares.get('b') ?? [])];
    assert.equal(kept.length, 3);
    assert.ok((shares.get('a') ?? []).every((number) => number < 2));
    assert.ok((shares.get('b') ?? []).every((number) => number >= 2));
  });

  it('gives the partitions of one that is gone to those who stay', () => {
    const shares = assign([{ memberId: 'b', owned: [2] }], 3);
    assert.deepEqual(shares.get('b'), [0, 1, 2]);
  });
});

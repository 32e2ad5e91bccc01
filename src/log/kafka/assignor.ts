// Who in a group reads which partitions. Decided by one member for all; pure. Whoever has a partition keeps it as far as an even share allows.

export interface Claim {
  readonly memberId: string;
  /** Partition numbers it has now. */
  readonly owned: readonly number[];
}

/**
 * A partition number stands for that partition of every topic: what belongs together (a symbol's trades, its
 * candles) stays with one member. Shares differ by one at most.
 */
export function assign(
  claims: readonly Claim[],
  partitions: number,
): ReadonlyMap<string, readonly number[]> {
  const free = new Set(Array.from({ length: partitions }, (_, number) => number));
  const least = Math.floor(partitions / claims.length);
  const larger = partitions % claims.length;
  // Those with most get the larger shares: fewer partitions move.
  const ranked = claims.toSorted(
    (a, b) => b.owned.length - a.owned.length || (a.memberId < b.memberId ? -1 : 1),
  );
  const sizeOf = (rank: number): number => least + (rank < larger ? 1 : 0);
  const shares = ranked.map(({ owned }, rank) =>
    owned
      .filter((number) => free.has(number))
      .slice(0, sizeOf(rank))
      .filter((number) => free.delete(number)),
  );
  for (const [rank, share] of shares.entries()) {
    for (const number of [...free].slice(0, sizeOf(rank) - share.length)) {
      free.delete(number);
      share.push(number);
    }
    share.sort((a, b) => a - b);
  }
  return new Map(ranked.map(({ memberId }, rank) => [memberId, shares[rank] ?? []]));
}

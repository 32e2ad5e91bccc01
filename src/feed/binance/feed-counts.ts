// What symbols counted, added up; nothing is forgotten of those that were removed.
import type { FeedCounts } from '../market-feed.ts';

export const NO_COUNTS: FeedCounts = { duplicates: 0, idJumps: 0, passedHoles: 0 };

export function addCounts(a: FeedCounts, b: FeedCounts): FeedCounts {
  return {
    duplicates: a.duplicates + b.duplicates,
    idJumps: a.idJumps + b.idJumps,
    passedHoles: a.passedHoles + b.passedHoles,
  };
}

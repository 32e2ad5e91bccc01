// Properties run the same cases each time, so that `npm test` is deterministic: import this first in a file of properties.
// PROPERTY_SEED and PROPERTY_RUNS ask for others: `PROPERTY_SEED=7 PROPERTY_RUNS=5000 npm test`.
import fc from 'fast-check';

const seed = Number(process.env['PROPERTY_SEED'] ?? 20_261_122);
const runs = process.env['PROPERTY_RUNS'];

fc.configureGlobal({
  seed,
  // A list that may have 200 has up to 200, not the library's 10.
  defaultSizeToMaxWhenMaxSpecified: true,
  ...(runs === undefined ? {} : { numRuns: Number(runs) }),
});

// Properties run the same cases each time, so that `npm test` is deterministic: import this first in a file of properties.
// PROPERTY_SEED and PROPERTY_RUNS ask for others: `PROPERTY_SEED=7 PROPERTY_RUNS=5000 npm test`.
import fc from 'fast-check';

const seed = Number(process.env['PROPERTY_SEED'] ?? 20_261_122);
const runs = process.env['PROPERTY_RUNS'];

fc.configureGlobal({ seed, ...(runs === undefined ? {} : { numRuns: Number(runs) }) });

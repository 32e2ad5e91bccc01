// A quick slice of the fuzz run; `npm run test:fuzz` is the long one.
import { test } from 'node:test';
import { fuzz } from './fuzz.ts';

test('10,000 spoiled frames and bodies: no crash, and no trade that is none', async (t) => {
  const seed = Number(process.env['PROPERTY_SEED'] ?? 20_261_122);
  t.diagnostic(JSON.stringify({ seed, ...(await fuzz({ seed, inputs: 10_000 })) }));
});

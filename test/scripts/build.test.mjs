import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildStamp, isBuildSource } from '../../scripts/build.mjs';

const sources = [
  ['web/main.tsx', 'a'],
  ['web/chart.ts', 'b'],
];

test('the build stamp changes with a name, a byte, a missing file and with where a file ends', () => {
  const stamp = buildStamp(sources);
  assert.equal(buildStamp(structuredClone(sources)), stamp);
  const others = [
    [sources[0]],
    [sources[0], ['web/chart.ts', 'c']],
    [sources[0], ['web/charts.ts', 'b']],
    [
      ['web/main.tsx', 'ab'],
      ['web/chart.ts', ''],
    ],
  ];
  for (const other of others) assert.notEqual(buildStamp(other), stamp, JSON.stringify(other));
});

test('neither the built files nor tests are sources of the build', () => {
  assert.ok(isBuildSource('web/main.tsx'));
  assert.ok(isBuildSource('web/index.html'));
  assert.ok(isBuildSource('src/core/market/candle.ts'));
  assert.ok(!isBuildSource('web/dist/index.html'));
  assert.ok(!isBuildSource('web/dist/.stamp'));
  assert.ok(!isBuildSource('src/core/market/candle.test.ts'));
});

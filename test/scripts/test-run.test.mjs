import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseTestFiles, parseTestArguments } from '../../scripts/test.mjs';
import { skipLine, totalsLine } from '../../scripts/test-reporter.mjs';

const paths = [
  'src/core/market/decimal.test.ts',
  'src/core/market/decimal.ts',
  'test/browser/first-load.browser.ts',
  'test/scripts/install.test.mjs',
  'test/slow/kill.slow.ts',
  'test/slow/kill-plan.test.ts',
];

test('splits arguments into suite, filters and flags', () => {
  assert.deepEqual(parseTestArguments([]), { suite: 'unit', filters: [], flags: [] });
  assert.deepEqual(
    parseTestArguments(['src\\core', '--suite', 'slow', '--test-name-pattern=kill']),
    { suite: 'slow', filters: ['src/core'], flags: ['--test-name-pattern=kill'] },
  );
});

test('an unknown suite is named in the error', () => {
  assert.throws(() => parseTestArguments(['--suite', 'quick']), /was "quick"/);
  assert.throws(() => parseTestArguments(['--suite']), /was ""/);
});

test('each suite has its own files and no other', () => {
  const files = (suite, filters = []) => chooseTestFiles({ suite, paths, filters });
  assert.deepEqual(files('unit'), [
    'src/core/market/decimal.test.ts',
    'test/scripts/install.test.mjs',
  ]);
  assert.deepEqual(files('browser'), ['test/browser/first-load.browser.ts']);
  assert.deepEqual(files('slow'), ['test/slow/kill.slow.ts']);
  assert.deepEqual(files('unit', ['./src/core']), ['src/core/market/decimal.test.ts']);
  assert.deepEqual(files('unit', ['nowhere']), []);
});

test('the last line counts cancelled tests as failed and todo ones as skipped', () => {
  const counts = { passed: 3, failed: 1, cancelled: 2, skipped: 4, todo: 1 };
  assert.equal(totalsLine(counts), '3 passed, 3 failed, 5 skipped');
});

test('a skipped test is named with its reason on one line', () => {
  assert.equal(skipLine({ name: 'runs' }), undefined);
  assert.equal(
    skipLine({ name: 'a', classname: 's', skip: 'no\ndata' }),
    'skipped: s › a: no data',
  );
  assert.equal(skipLine({ name: 'a', skip: true }), 'skipped: a: no reason given');
  assert.equal(skipLine({ name: 'a', todo: true }), 'skipped: a: todo');
});

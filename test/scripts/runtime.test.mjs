import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseRuntime } from '../../scripts/runtime.mjs';

const old = { version: 'v20.20.2', execPath: '/usr/bin/node', platform: 'linux' };

test('a Node 26 or newer runs the program itself', () => {
  const exists = () => assert.fail('looked for the package though it is not needed');
  for (const version of ['v26.0.0', 'v27.1.0', 'v100.0.0']) {
    assert.equal(chooseRuntime({ ...old, version, exists }), '/usr/bin/node');
  }
});

test('an older Node hands over to the one the npm package brought', () => {
  const exists = () => true;
  assert.equal(chooseRuntime({ ...old, exists }), 'node_modules/node/bin/node');
  assert.equal(
    chooseRuntime({ ...old, platform: 'win32', exists }),
    'node_modules/node/bin/node.exe',
  );
  assert.equal(chooseRuntime({ ...old, version: 'v25.9.0', exists }), 'node_modules/node/bin/node');
});

test('an older Node without the package is no runtime', () => {
  assert.equal(chooseRuntime({ ...old, exists: () => false }), undefined);
});

// The scripts run before anything is installed, so they are plain JavaScript, and so are their tests.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseInstall, chooseNpm, installStamp } from '../../scripts/install.mjs';

const linux = { lock: '{"lockfileVersion":3}', platform: 'linux', arch: 'x64' };
const wanted = installStamp(linux);

test('the stamp changes with the lock and with the kind of machine', () => {
  assert.equal(installStamp({ ...linux }), wanted);
  assert.notEqual(installStamp({ ...linux, lock: '{}' }), wanted);
  assert.notEqual(installStamp({ ...linux, platform: 'darwin' }), wanted);
  assert.notEqual(installStamp({ ...linux, arch: 'arm64' }), wanted);
});

test('chooses what to do from what is there', () => {
  const other = installStamp({ ...linux, lock: '{}' });
  const foreign = installStamp({ ...linux, platform: 'win32' });
  const cases = [
    ['installed', { found: wanted, hasHiddenLock: true }, 'nothing'],
    ['fresh clone, or interrupted', { found: undefined, hasHiddenLock: false }, 'afresh'],
    ['lock has changed', { found: other, hasHiddenLock: true }, 'update'],
    ['installed by hand', { found: undefined, hasHiddenLock: true }, 'update'],
    ['copied from Windows', { found: foreign, hasHiddenLock: true }, 'afresh'],
  ];
  for (const [name, situation, expected] of cases) {
    assert.equal(chooseInstall({ wanted, ...situation }), expected, name);
  }
});

test('runs npm by its own script, without a shell, wherever that script is found', () => {
  const execPath = '/opt/node/bin/node';
  const npmCli = '/opt/npm/bin/npm-cli.js';
  const byPath = chooseNpm({
    npmExecPath: npmCli,
    execPath,
    platform: 'linux',
    exists: () => true,
  });
  assert.deepEqual(byPath, { command: execPath, args: [npmCli], shell: false });
  const yarn = chooseNpm({
    npmExecPath: '/y/yarn.js',
    execPath,
    platform: 'linux',
    exists: () => false,
  });
  assert.deepEqual(yarn, { command: 'npm', args: [], shell: false });
  const windows = chooseNpm({
    npmExecPath: undefined,
    execPath,
    platform: 'win32',
    exists: () => false,
  });
  assert.deepEqual(windows, { command: 'npm.cmd', args: [], shell: true });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exitCode } from '../../scripts/launch.mjs';

const DEADLINE_MS = 20_000;
const wrapper = fileURLToPath(new URL('./fixtures/wrapper.mjs', import.meta.url));
const skip = process.platform === 'win32' ? 'Windows has no signals to send' : false;

/** Starts the wrapper around fixtures/program.mjs and waits for its `ready <pid>` line. */
async function startWrapped(t, args = [], command = [process.execPath]) {
  const child = spawn(command[0], [...command.slice(1), wrapper, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, npm_lifecycle_event: 'start' },
    detached: true,
    timeout: DEADLINE_MS,
  });
  // The process group is the program's and the wrapper's: nothing of it outlives the test.
  t.after(() => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      assert.equal(error.code, 'ESRCH');
    }
  });
  const closed = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value } = await lines.next();
  assert.match(value, /^ready \d+$/);
  return { child, closed, lines };
}

/** All the program still prints; ends only when the program has ended, not merely its wrapper. */
async function rest(lines) {
  const all = [];
  for await (const line of { [Symbol.asyncIterator]: () => lines }) all.push(line);
  return all;
}

test('passes arguments on and ends with the exit code of the program', async (t) => {
  const { closed, lines } = await startWrapped(t, ['--exit', '7']);
  assert.deepEqual(await rest(lines), ['arguments --exit 7']);
  assert.deepEqual(await closed, [7, null]);
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  test(`a ${signal} sent to the wrapper alone stops the program, once`, { skip }, async (t) => {
    const { child, closed, lines } = await startWrapped(t);
    child.kill(signal);
    child.kill(signal);
    assert.deepEqual(await rest(lines), ['stopped by SIGTERM', 'signals 1']);
    assert.deepEqual(await closed, [0, null]);
  });
}

test('a Ctrl-C, which reaches wrapper and program, is one signal to the program', {
  skip,
}, async (t) => {
  const { child, closed, lines } = await startWrapped(t);
  process.kill(-child.pid, 'SIGINT');
  assert.deepEqual(await rest(lines), ['stopped by SIGINT', 'signals 1']);
  assert.deepEqual(await closed, [0, null]);
});

test('a wrapper killed with SIGKILL takes the program along, which ends cleanly', {
  skip,
}, async (t) => {
  const { child, lines } = await startWrapped(t);
  child.kill('SIGKILL');
  assert.deepEqual(await rest(lines), ['stopped by SIGTERM', 'signals 1']);
});

test("the end of npm's shell alone stops the program", { skip }, async (t) => {
  // As npm runs a script: a shell that waits and passes no signal on.
  const shell = ['/bin/sh', '-c', '"$0" "$@"; exit $?', process.execPath];
  const { child, lines } = await startWrapped(t, [], shell);
  child.kill('SIGTERM');
  assert.deepEqual(await rest(lines), ['stopped by SIGTERM', 'signals 1']);
});

test('the exit code of a killed program is that of a shell', () => {
  assert.equal(exitCode(3, null), 3);
  assert.equal(exitCode(null, 'SIGKILL'), 137);
});

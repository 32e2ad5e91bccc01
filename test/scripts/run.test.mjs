import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showsDashboard } from '../../scripts/run.mjs';

test('only what opens the dashboard has it built first', () => {
  const shown = [[], ['up'], ['--symbols', 'BTCUSDT'], ['serve', '--port', '0'], ['replay', 'day']];
  const notShown = [['record', 'day'], ['verify', '--repair'], ['up', '--help'], ['--version']];
  for (const args of shown) assert.ok(showsDashboard(args), args.join(' '));
  for (const args of notShown) assert.ok(!showsDashboard(args), args.join(' '));
});

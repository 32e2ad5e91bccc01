import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../serve/testing/manual-clock.ts';
import { createRejections, REJECTED_TOLD_INTERVAL_MS } from './rejections.ts';

function start() {
  const clock = manualClock();
  const warned: string[] = [];
  const debugged: unknown[] = [];
  const rejections = createRejections({
    clock,
    logger: {
      warn: (text: unknown) => void warned.push(String(text)),
      debug: (fields: unknown) => void debugged.push(fields),
    },
  });
  return { clock, warned, debugged, rejections };
}

test('warns of the first rejection, then with a count at most every 10 s', async () => {
  const { clock, warned, rejections } = start();
  for (let count = 1; count <= 1_000; count++) rejections.rejected(`no JSON ${count}`, '{');
  assert.deepEqual(warned, ['Rejected: no JSON 1']);
  await clock.advance(REJECTED_TOLD_INTERVAL_MS - 1);
  rejections.tell();
  assert.equal(warned.length, 1);
  await clock.advance(1);
  rejections.tell();
  assert.deepEqual(warned.slice(1), ['Rejected 999 records; the newest: no JSON 1000']);
  await clock.advance(REJECTED_TOLD_INTERVAL_MS);
  rejections.tell();
  assert.equal(warned.length, 2, 'nothing new, nothing told');
  rejections.rejected('no price', '{}');
  assert.equal(warned[2], 'Rejected: no price', 'after a quiet while at once');
});

test('tells the rest at the end', () => {
  const { warned, rejections } = start();
  for (const reason of ['a', 'b', 'c']) rejections.rejected(reason, '{');
  rejections.end();
  rejections.end();
  assert.deepEqual(warned, ['Rejected: a', 'Rejected 2 records; the newest: c']);
});

test('every payload is in the log at debug', () => {
  const { debugged, rejections } = start();
  rejections.rejected('no JSON', '{');
  rejections.rejected('no price', '{"p":""}');
  assert.deepEqual(debugged, [
    { reason: 'no JSON', payload: '{' },
    { reason: 'no price', payload: '{"p":""}' },
  ]);
});

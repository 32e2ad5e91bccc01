import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { createProbeServer } from './create-probe-server.ts';

const logger = pino({ level: 'silent' });

test('tells whether a stage is up, at work, and what it counts; nothing to strangers', async () => {
  let reason: string | undefined = 'Kafka at 127.0.0.1:9 does not answer';
  await using server = createProbeServer({
    ...{ host: '127.0.0.1', port: 0, allowedHosts: [], logger },
    stages: () => ({ aggregate: { trades: 7 } }),
    notReady: () => reason,
  });
  const url = await server.listen();
  const get = async (path: string, headers = {}): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`${url}${path}`, { headers });
    return { status: answer.status, text: await answer.text() };
  };
  assert.deepEqual(await get('/healthz'), { status: 200, text: '{"status":"up"}' });
  const notReady = await get('/readyz');
  assert.equal(notReady.status, 503);
  assert.match(notReady.text, /Kafka at 127.0.0.1:9 does not answer/);
  reason = undefined;
  assert.deepEqual(await get('/readyz'), { status: 200, text: '{"status":"ready"}' });
  const { text } = await get('/metrics');
  assert.match(text, /^wickstream_stage\{stage="aggregate",number="trades"\} 7$/m);
  assert.match(text, /^process_resident_memory_bytes /m);
  assert.equal((await get('/nowhere')).status, 404);
  assert.equal((await get('/healthz', { origin: 'https://elsewhere.example' })).status, 200);
});

test('answers nobody who calls it by a foreign name', async () => {
  await using server = createProbeServer({
    ...{ host: '127.0.0.1', port: 0, allowedHosts: [], logger },
    stages: () => ({}),
    notReady: () => undefined,
  });
  const { port } = new URL(await server.listen());
  const { request } = await import('node:http');
  const status = await new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: '/metrics',
      headers: { host: 'evil.example' },
    };
    request(options, (answer) => resolve(answer.resume().statusCode))
      .on('error', reject)
      .end();
  });
  assert.equal(status, 403);
});

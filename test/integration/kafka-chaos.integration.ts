// I6: a slice of the chaos runs (npm run test:chaos-kafka): ingests, aggregators and the broker killed at random, judged by another client.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { skip, testBroker } from './kafka-broker.ts';
import { runChaos } from './kafka-chaos/run.ts';

const withoutKcat = (() => {
  try {
    execFileSync('kcat', ['-V']);
    return false;
  } catch {
    if (process.env['CI'] === 'true')
      throw new Error('Expected kcat (Debian: apt-get install kcat)');
    return 'kcat is not installed';
  }
})();

describe('Kafka under chaos', { skip: skip || withoutKcat }, () => {
  it('holds every candle and revision once, and the truth in the highest', async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'wickstream-chaos-'));
    await using broker = await testBroker();
    const result = await runChaos({
      broker,
      shape: { seed: 4, symbols: 6, trades: 12_000, minutes: 65 },
      perSecond: 600,
      faultEveryMs: 4_000,
      faultsMax: 6,
      deadlineMs: 240_000,
      partitions: 6,
      logPath: join(dir, 'chaos.log'),
      tell: (line) => t.diagnostic(line),
    });
    assert.deepEqual(result.faults, []);
    assert.ok(result.isWhole, JSON.stringify(result));
    assert.equal(result.candles, result.expected);
    await rm(dir, { recursive: true });
  });
});

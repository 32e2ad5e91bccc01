// A broker that is away is one clear line now and then, not a stack trace, and never the end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type EpochMs, epochMs } from '../../core/market/time.ts';
import { PartitionFault } from './faults.ts';
import { Outage, RETRY_MS_MAX, retry } from './retry.ts';

function watched() {
  let now = epochMs(0);
  const lines: string[] = [];
  const pauses: number[] = [];
  const stop = new AbortController();
  const write = (line: unknown) => void lines.push(String(line));
  const clock = {
    now: (): EpochMs => now,
    sleep: async (ms: number) => {
      pauses.push(ms);
      now = epochMs(now + ms);
    },
  };
  const logger = { info: write, warn: write, debug: write };
  return {
    lines,
    pauses,
    stop,
    options: { clock, outage: new Outage('broker:9092', clock, logger), signal: stop.signal },
  };
}

const away = new PartitionFault(new Set(['NETWORK']), 'raw_ticks');

describe('retry', () => {
  it('goes on until it is answered, and tells of a long fault every ten seconds', async () => {
    const { options, lines, pauses } = watched();
    let tries = 0;
    const answer = await retry('write', options, async () => {
      tries++;
      if (tries < 30) throw away;
      return 'done';
    });
    assert.equal(answer, 'done');
    assert.equal(Math.max(...pauses), RETRY_MS_MAX);
    assert.equal(lines.length, 4, lines.join('\n'));
    assert.match(lines[0] ?? '', /^Kafka at broker:9092: cannot write \(NETWORK at raw_ticks\)/);
    assert.match(lines.at(-1) ?? '', /answers again after \d+ s$/);
  });

  it('tells of one broker that is away once, however many wait for it', async () => {
    const { options, lines } = watched();
    let tries = 0;
    const isAway = async () => {
      tries++;
      if (tries < 40) throw away;
    };
    await Promise.all([1, 2, 3].map(() => retry('write', options, isAway)));
    const told = lines.filter((line) => line.includes('cannot write'));
    assert.ok(told.length >= 1 && told.length <= 3, lines.join('\n'));
    assert.equal(lines.filter((line) => line.includes('answers again')).length, 1);
  });

  it('says nothing of a short fault', async () => {
    const { options, lines } = watched();
    let isFirst = true;
    await retry('write', options, async () => {
      if (!isFirst) return;
      isFirst = false;
      throw away;
    });
    assert.deepEqual(lines, []);
  });

  it('ends at once for who was never let in, and goes on for who was', async () => {
    const { options } = watched();
    const refused = new PartitionFault(new Set(['NETWORK', 'SASL_AUTHENTICATION_FAILED']), 'login');
    const remedy =
      /^LogError: Kafka at broker:9092: cannot write .*check --kafka-sasl, --kafka-user/;
    await assert.rejects(
      retry('write', options, async () => Promise.reject(refused)),
      (error) => remedy.test(String(error)),
    );
    await retry('write', options, async () => 'let in');
    let tries = 0;
    const exchanged = async () => {
      tries++;
      if (tries < 3) throw refused;
      return 'let in again';
    };
    assert.equal(await retry('write', options, exchanged), 'let in again');
    const forbidden = new PartitionFault(new Set(['TOPIC_AUTHORIZATION_FAILED']), 'raw_ticks');
    await assert.rejects(
      retry('write', options, async () => Promise.reject(forbidden)),
      /allow it to this user/,
    );
  });

  it('throws what trying again cannot mend, and ends with its signal', async () => {
    const { options, stop } = watched();
    await assert.rejects(
      retry('write', options, async () => Promise.reject(new Error('bug'))),
      /bug/,
    );
    stop.abort(new Error('the end'));
    await assert.rejects(
      retry('write', options, async () => Promise.reject(away)),
      /the end/,
    );
  });
});

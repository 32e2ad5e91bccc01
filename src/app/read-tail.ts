// What a topic holds now, to its end: for a process that starts. Follows nothing.
import type { EpochMs } from '../core/market/time.ts';
import type { Log, LogRecord } from '../log/log.ts';
import type { Topic } from '../protocol/topics.ts';

/** In the order of each partition; from `since` on, or all. Empty in process, where nothing is from before. */
export async function readTail<T>(options: {
  readonly log: Log;
  readonly topic: Topic<T>;
  readonly since: EpochMs | undefined;
  readonly signal: AbortSignal;
}): Promise<readonly LogRecord<T>[]> {
  const { log, topic, since, signal } = options;
  const records: LogRecord<T>[] = [];
  await using consumer = log.consumer({
    group: 'read-tail',
    topics: [topic],
    reading: 'alone',
    onAssignment: async (assignment) => {
      for await (const batch of assignment.tail(topic, since)) records.push(...batch);
    },
  });
  await consumer.poll({ timeoutMs: 0, signal });
  return records;
}

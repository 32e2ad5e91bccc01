// The stage behind `record`: what ingest writes to raw_ticks goes to a file as well, in the log's order. It adds nothing and leaves nothing out.
import type { Log } from '../../log/log.ts';
import { RAW_TICKS } from '../../protocol/topics.ts';
import type { RecordingWriter } from './recording-writer.ts';

export interface RecordTicksOptions {
  readonly log: Log;
  /** Stays open: whoever opened it closes it. */
  readonly writer: RecordingWriter;
  readonly signal: AbortSignal;
}

const POLL_MS = 1_000;
/** After the abort: so many polls for what is still in the log, then it ends. */
const DRAIN_POLLS_MAX = 100;

/**
 * Until `signal` aborts, then what the log still holds. Offsets are committed after the write.
 * @throws Error of the writer where the file can't be written.
 */
export async function recordTicks({ log, writer, signal }: RecordTicksOptions): Promise<void> {
  await using consumer = log.consumer({ group: 'record', topics: [RAW_TICKS] });
  const pollOnce = async (timeoutMs: number, until: AbortSignal): Promise<boolean> => {
    const records = await consumer.poll({ timeoutMs, signal: until });
    if (records.length === 0) return false;
    await writer.write(records.map((record) => record.value));
    await consumer.commit([]);
    return true;
  };
  while (!signal.aborted) await pollOnce(POLL_MS, signal);
  const never = new AbortController().signal;
  for (let polls = 0; polls < DRAIN_POLLS_MAX; polls += 1) {
    if (!(await pollOnce(0, never))) return;
  }
}

// The audit's requests from the log to the feed, which answers by its events. Keeps nothing: whoever asks, asks again.
import type { DurationMs } from '../../core/market/time.ts';
import type { MarketFeed } from '../../feed/market-feed.ts';
import type { Log } from '../../log/log.ts';
import { REPAIRS } from '../../protocol/topics.ts';

const POLL_TIMEOUT_MS: DurationMs = 1_000;

/** Runs until `signal` aborts. Its consumer is registered before the first await. */
export async function followRepairs(options: {
  readonly log: Log;
  readonly feed: Pick<MarketFeed, 'ask'>;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { log, feed, signal } = options;
  await using consumer = log.consumer({ group: 'ingest-repairs', topics: [REPAIRS] });
  while (!signal.aborted) {
    const requests = await consumer.poll({ timeoutMs: POLL_TIMEOUT_MS, signal });
    for (const { value } of requests) feed.ask(value);
    if (requests.length > 0) await consumer.commit([]);
  }
}

// `wickstream aggregate`: trades to candles, over Kafka. Any number of them share the partitions. Loads neither feeds nor stores: half its start, and memory.
import { aggregate, aggregateCounts, LIVE_UPDATE_KAFKA_MS } from '../../stages/aggregate.ts';
import { openKafkaLog } from '../open-kafka.ts';
import { openStageProbes } from '../stage-probes.ts';
import { systemClock } from '../system-clock.ts';
import type { CommandContext } from './up.ts';

const clock = systemClock;

export async function aggregateStage(context: CommandContext): Promise<void> {
  const { config, logger, signal } = context;
  const counts = aggregateCounts();
  await using probes = await openStageProbes('aggregate', () => ({ ...counts }), context);
  await using log = openKafkaLog({ ...context, clock }, probes.outage);
  probes.started();
  const { intervals } = config;
  await aggregate({
    ...{ log, intervals, counts, clock, logger, signal },
    liveUpdateMs: LIVE_UPDATE_KAFKA_MS,
  });
}

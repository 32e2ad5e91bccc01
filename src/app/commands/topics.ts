// `wickstream topics`: creates the topics that are missing and tells what there is; fails where one is not as the settings say.
import { LogError } from '../../log/log.ts';
import { createTopics } from '../open-kafka.ts';
import { systemClock } from '../system-clock.ts';
import type { CommandContext } from './up.ts';

/** @throws LogError where a topic differs: it is never changed, for records would be in the wrong partitions. */
export async function topics(context: CommandContext): Promise<void> {
  const reports = await createTopics({ ...context, clock: systemClock });
  for (const { name, state, details } of reports) {
    process.stdout.write(`${[`${name}: ${state}`, ...details].join('; ')}\n`);
  }
  const differing = reports.filter(({ state }) => state === 'differs').length;
  if (differing === 0) return;
  throw new LogError(
    'differing-topics',
    `${differing} topics are not as the settings say: give the settings they have, or choose another --topic-prefix`,
  );
}

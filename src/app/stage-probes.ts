// The port of a stage that runs alone, where --port asks for one: how it is, and what it counts. Loads the server only then.
import { Outage } from '../log/kafka/retry.ts';
import type { CommandContext } from './commands/up.ts';
import { connectionOf } from './open-kafka.ts';
import { systemClock } from './system-clock.ts';

export interface StageProbes extends AsyncDisposable {
  /** For the stage's log: while Kafka is away the stage is not ready. */
  readonly outage: Outage;
  /** The stage is at work. */
  started(): void;
}

/** @throws where the port is taken or not allowed. */
export async function openStageProbes(
  stage: string,
  numbers: () => Readonly<Record<string, number>>,
  { config, logger, probePort }: CommandContext,
): Promise<StageProbes> {
  const outage = new Outage(connectionOf(config).servers.join(','), systemClock, logger);
  let isStarted = false;
  const started = (): void => {
    isStarted = true;
  };
  const probes = { outage, started };
  if (probePort === undefined) return { ...probes, async [Symbol.asyncDispose]() {} };
  const { createProbeServer } = await import('../server/create-probe-server.ts');
  const { host, allowedHosts } = config;
  const server = createProbeServer({
    ...{ host, port: probePort, allowedHosts, logger },
    stages: () => ({ [stage]: numbers() }),
    notReady: () => outage.fault ?? (isStarted ? undefined : `${stage} has not started yet`),
  });
  const url = await server.listen();
  logger.info({ url }, `Health and metrics of ${stage} at ${url}`);
  return { ...probes, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

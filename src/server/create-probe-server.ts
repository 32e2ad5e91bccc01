// What watches a stage that runs alone: is it up, is it at work, what does it count. Serves nothing else, and reads nothing but numbers.
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import type { Logger } from 'pino';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { DurationMs } from '../core/market/time.ts';
import { registerAccess } from './http/access.ts';
import type { StageNumbers } from './http/api-v1.ts';
import { errorBody } from './http/error-body.ts';

export interface ProbeServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly stages: () => StageNumbers;
  /** Why the stage is not at work; undefined while it is. */
  readonly notReady: () => string | undefined;
  readonly logger: Logger;
}

export interface ProbeServer extends AsyncDisposable {
  /** Opens the port and answers its URL. @throws where the port is taken or not allowed. */
  listen(): Promise<string>;
}

const BODY_BYTES_MAX = 1_024;
const REQUEST_MS_MAX: DurationMs = 10_000;

export function createProbeServer(options: ProbeServerOptions): ProbeServer {
  const { host, port, allowedHosts, logger } = options;
  const loggerInstance: FastifyBaseLogger = logger;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS_MAX,
    forceCloseConnections: true,
  });
  registerAccess(app, { host, allowedHosts, accessToken: undefined });
  const registry = metricsOf(options);
  app.get('/healthz', async () => ({ status: 'up' }));
  app.get('/readyz', async (_request, reply) => {
    const reason = options.notReady();
    if (reason === undefined) return { status: 'ready' };
    return reply.code(503).send(errorBody('not-ready', reason));
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  return {
    listen: () => app.listen({ host, port }),
    [Symbol.asyncDispose]: () => app.close(),
  };
}

function metricsOf({ stages }: ProbeServerOptions): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'wickstream_stage',
    help: 'Numbers of each stage, queue depths among them',
    labelNames: ['stage', 'number'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [stage, numbers] of Object.entries(stages())) {
        for (const [number, value] of Object.entries(numbers)) this.set({ stage, number }, value);
      }
    },
  });
  return registry;
}

// The HTTP and WebSocket server, on one port: the dashboard, its protocol, our API, Binance's shape of it, probes. Only reads; starts no stage.
import helmet from '@fastify/helmet';
import websocket from '@fastify/websocket';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Interval } from '../core/market/interval.ts';
import type { SymbolWish } from '../core/market/listing.ts';
import type { Source } from '../core/market/source.ts';
import type { Clock, DurationMs } from '../core/market/time.ts';
import type { Backfills } from '../stages/backfills.ts';
import type { LiveMarket } from '../stages/live-market.ts';
import type { CandleStore } from '../store/candle-store.ts';
import { AuditDays } from './audit-days.ts';
import { registerBinanceApi } from './binance-api/register.ts';
import { StreamHub } from './binance-api/stream-hub.ts';
import { feedNews } from './feed-news.ts';
import { registerAccess } from './http/access.ts';
import { registerApiV1, type StageNumbers } from './http/api-v1.ts';
import { registerBackfillsApi } from './http/backfills-api.ts';
import { registerDashboard } from './http/dashboard.ts';
import { errorBody } from './http/error-body.ts';
import { frameworkErrorAnswer } from './http/framework-error.ts';
import { registerProbes } from './http/probes.ts';
import { registerSymbolsApi } from './http/symbols-api.ts';
import { registerTradesApi } from './http/trades-api.ts';
import { registerMetrics } from './metrics.ts';
import { storeSize } from './store-size.ts';
import { AuditNews } from './websocket/audit-news.ts';
import { registerLive } from './websocket/live.ts';
import { LiveViews } from './websocket/live-views.ts';

export interface ServerOptions {
  readonly market: LiveMarket;
  readonly store: CandleStore;
  readonly intervals: readonly Interval[];
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Needed for whatever changes state where `host` is not a loopback address. */
  readonly accessToken?: string;
  /** Names this server is reached by beside its address and localhost. */
  readonly allowedHosts?: readonly string[];
  readonly version: string;
  /** The built dashboard; where it is missing, `/` says how to build it. */
  readonly dashboardDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Writes to the log which symbol the user wishes to follow, or no longer. */
  readonly wish: (wish: SymbolWish) => Promise<void>;
  /** Fetches what the store lacks; absent where this process has no market's past to ask for. */
  readonly backfills?: Backfills;
  /** The source where it is known before the feed's first status. */
  readonly source?: Source;
  /** Numbers of the stages in this process, for `/api/v1/health` and `/metrics`. */
  readonly stages?: () => StageNumbers;
  /** Why the store takes nothing now, for the status strip; undefined while it does. */
  readonly storeFault?: () => string | undefined;
}

export interface WickstreamServer extends AsyncDisposable {
  readonly app: FastifyInstance;
  /**
   * Opens the port and answers its URL.
   * @throws where the port is taken or not allowed (`code`: `EADDRINUSE`, `EACCES`).
   */
  listen(): Promise<string>;
}

/** Nothing here takes a body yet; what will is small. */
const BODY_BYTES_MAX = 64 * 1024;
const REQUEST_MS_MAX: DurationMs = 10_000;
/** A request line may name 1,024 streams. */
const HEADER_BYTES_MAX = 64 * 1024;
/** The longest frame from a client: SUBSCRIBE with 1,024 streams. */
const FRAME_BYTES_MAX = 64 * 1024;
/** How long a WebSocket's other end may take to say goodbye. */
const GOODBYE_MS_MAX: DurationMs = 500;
const CLOSE_GOING_AWAY = 1_001;
/** Whose market an answer is about (I10). */
const SOURCE_HEADER = 'x-wickstream-source';

export async function createServer(options: ServerOptions): Promise<WickstreamServer> {
  const { market, store, intervals, version, clock, logger, metrics } = options;
  const loggerInstance: FastifyBaseLogger = logger;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS_MAX,
    http: { maxHeaderSize: HEADER_BYTES_MAX },
    routerOptions: { maxParamLength: HEADER_BYTES_MAX },
    forceCloseConnections: true,
    // No hook runs for these: what every answer has is set here too.
    frameworkErrors: (error, request, { raw }) => {
      const { status, body } = frameworkErrorAnswer(error, request);
      raw.writeHead(status, {
        'content-type': 'application/json; charset=utf-8',
        'x-content-type-options': 'nosniff',
        [SOURCE_HEADER]: encodeURI(news.source().id),
      });
      raw.end(JSON.stringify(body));
    },
  });
  using opening = new DisposableStack();
  const size = opening.use(storeSize({ store, clock }));
  const news = opening.use(
    feedNews({
      market,
      clock,
      storeBytes: size.bytes,
      ...(options.source === undefined ? {} : { source: options.source }),
      ...(options.storeFault === undefined ? {} : { storeFault: options.storeFault }),
    }),
  );
  const onFault = (cause: unknown) => app.log.warn({ err: cause }, 'verdicts not told');
  const views = opening.use(new LiveViews({ market, store, news, clock, onFault }));
  const auditDays = opening.use(new AuditDays(market, store));
  const auditNews = opening.use(new AuditNews({ days: auditDays, views, clock, onFault }));
  const stages = options.stages ?? (() => ({}));

  const streams = opening.use(new StreamHub({ market, news, clock }));
  app.addHook('preClose', async () => streams.announceShutdown());
  await registerSockets(app, clock);
  app.websocketServer.on('headers', (headers) => {
    headers.push(`${SOURCE_HEADER}: ${encodeURI(news.source().id)}`);
  });
  registerAccess(app, {
    host: options.host,
    allowedHosts: options.allowedHosts ?? [],
    accessToken: options.accessToken,
  });
  await registerSafety(app);
  app.addHook('onSend', async (_request, reply) => {
    reply.header(SOURCE_HEADER, encodeURI(news.source().id));
  });
  await registerBinanceApi(app, { market, store, news, intervals, clock, streams });
  const connections = () => ({ dashboard: views.connections, binance: streams.connections });
  const shared = { market, store, news, intervals, version, clock, stages, connections, auditDays };
  opening.use(registerMetrics({ ...shared, registry: metrics }));
  registerApiV1(app, shared);
  registerTradesApi(app, shared);
  registerSymbolsApi(app, { market, news, clock, wish: options.wish });
  const { backfills } = options;
  registerBackfillsApi(app, { ...shared, backfills });
  registerLive(app, { ...shared, views, auditNews, canBackfill: backfills !== undefined });
  registerProbes(app, { ...shared, metrics });
  await registerDashboard(app, options.dashboardDir);
  const opened = opening.move();
  app.addHook('onClose', async () => opened.dispose());

  return {
    app,
    listen: () => app.listen({ host: options.host, port: options.port }),
    [Symbol.asyncDispose]: () => app.close(),
  };
}

/** WebSockets, ended politely and then firmly: a reader that is gone must not hold up the end. */
async function registerSockets(app: FastifyInstance, clock: Clock): Promise<void> {
  await app.register(websocket, {
    options: { maxPayload: FRAME_BYTES_MAX, perMessageDeflate: false },
    preClose: (done) => {
      const { clients } = app.websocketServer;
      for (const client of clients) client.close(CLOSE_GOING_AWAY, 'The server is stopping');
      const waiting = new AbortController();
      app.websocketServer.close(() => waiting.abort());
      void clock.sleep(GOODBYE_MS_MAX, waiting.signal).then(() => {
        for (const client of clients) client.terminate();
        done();
      });
    },
  });
}

async function registerSafety(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'self'"],
        // 'self' covers ws: to the same host and port.
        'connect-src': ["'self'"],
        'img-src': ["'self'", 'data:'],
        // The chart library sets styles in the page.
        'style-src': ["'self'", "'unsafe-inline'"],
        'object-src': ["'none'"],
        'base-uri': ["'none'"],
        'form-action': ["'none'"],
        'frame-ancestors': ["'none'"],
      },
    },
    // Served over plain HTTP, where browsers ignore these and complain in the console.
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  });
  app.setNotFoundHandler(async (request, reply) =>
    reply.code(404).send(errorBody('not-found', `Nothing is at ${request.method} ${request.url}`)),
  );
  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return reply.code(status).send(errorBody(error.code, error.message));
    request.log.error({ err: error, url: request.url }, 'request failed');
    return reply
      .code(500)
      .send(errorBody('internal', 'The request failed; the server log says why'));
  });
}

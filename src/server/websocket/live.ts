// The dashboard's WebSocket at /api/v1/live: parses what it asks, refuses what breaks the limits, and hands it to the views.
import type { FastifyInstance } from 'fastify';
import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import { INTERVALS, type Interval } from '../../core/market/interval.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock, DurationMs } from '../../core/market/time.ts';
import {
  type BrowserRequest,
  type ServerMessage,
  SNAPSHOT_CANDLES_MAX,
} from '../../protocol/browser.ts';
import { symbolField } from '../../protocol/candle-record.ts';
import type { LiveMarket } from '../../stages/live-market.ts';
import type { FeedNews } from '../feed-news.ts';
import type { AuditNews } from './audit-news.ts';
import { LiveConnection, type WatchedView } from './live-connection.ts';
import type { LiveViews } from './live-views.ts';
import { messageRate } from './message-rate.ts';

/** Open dashboards at once; the next is told to try again later (1013). */
export const LIVE_CONNECTIONS_MAX = 512;
/** The longest request is a `watch`, some 100 bytes. */
export const LIVE_REQUEST_BYTES_MAX = 1_024;
/** Requests within `LIVE_REQUESTS_WINDOW_MS`; a hasty click through the intervals stays far below. */
export const LIVE_REQUESTS_MAX = 100;
export const LIVE_REQUESTS_WINDOW_MS: DurationMs = 5_000;
/** A protocol ping finds connections whose other end is gone without a word. */
export const LIVE_PING_INTERVAL_MS: DurationMs = 20_000;

const CLOSE_POLICY = 1_008;
const CLOSE_TRY_LATER = 1_013;

const requestSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('watch'),
    symbol: symbolField,
    interval: z.enum(INTERVALS),
    limit: z.number().int().min(1).max(SNAPSHOT_CANDLES_MAX),
  }),
  z.object({ type: z.literal('ping'), sentAt: z.number() }),
]) satisfies z.ZodType<BrowserRequest>;

export interface LiveOptions {
  readonly market: LiveMarket;
  readonly views: LiveViews;
  readonly auditNews: AuditNews;
  readonly news: FeedNews;
  readonly intervals: readonly Interval[];
  readonly version: string;
  readonly clock: Clock;
  /** Whether gaps can be fetched here. */
  readonly canBackfill: boolean;
}

export function registerLive(app: FastifyInstance, options: LiveOptions): void {
  app.get('/api/v1/live', { websocket: true }, (socket) => {
    if (options.views.connections >= LIVE_CONNECTIONS_MAX) {
      socket.close(CLOSE_TRY_LATER, `${LIVE_CONNECTIONS_MAX} dashboards are open; try again later`);
      return;
    }
    serveDashboard(socket, options, (cause) => app.log.error({ err: cause }, 'snapshot failed'));
  });
}

function serveDashboard(
  socket: WebSocket,
  options: LiveOptions,
  logFailure: (cause: unknown) => void,
): void {
  const { market, views, auditNews, news, intervals, version, clock } = options;
  const connection = new LiveConnection(socket, clock);
  const isTooMany = messageRate(clock, LIVE_REQUESTS_MAX, LIVE_REQUESTS_WINDOW_MS);
  const stopPinging = keepAlive(socket, clock);
  const say = (message: ServerMessage): void => connection.send(JSON.stringify(message));
  const refuse = (message: string): void => say({ type: 'error', message });

  const watch = async (view: WatchedView): Promise<void> => {
    await views.watch(connection, view);
    await auditNews.tell(connection, view.symbol);
  };

  const answer = (request: z.output<typeof requestSchema>): void => {
    if (request.type === 'ping') {
      say({ type: 'pong', sentAt: request.sentAt, serverTime: clock.now() });
      return;
    }
    const fault = viewFault(request, market, intervals);
    if (fault !== undefined) {
      refuse(fault);
      return;
    }
    watch(request).catch((cause: unknown) => {
      logFailure(cause);
      refuse('The candles could not be read from the store; the server log says why. Try again.');
    });
  };

  socket.on('message', (data: RawData, isBinary: boolean) => {
    if (isTooMany()) {
      socket.close(CLOSE_POLICY, `More than ${LIVE_REQUESTS_MAX} requests in 5 s`);
      return;
    }
    const request = isBinary ? 'Expected text' : parseRequest(String(data));
    if (typeof request === 'string') refuse(request);
    else answer(request);
  });
  socket.on('close', () => {
    stopPinging();
    views.remove(connection);
  });
  views.add(connection);
  const { canBackfill } = options;
  const symbols = market.symbols();
  say({ type: 'hello', version, symbols, intervals, status: news.view(), canBackfill });
}

/** The request, or what is wrong with it. */
function parseRequest(text: string): z.output<typeof requestSchema> | string {
  if (text.length > LIVE_REQUEST_BYTES_MAX) {
    return `Expected a request of at most ${LIVE_REQUEST_BYTES_MAX} characters, was ${text.length}`;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return `Expected JSON, was ${text}`;
  }
  const result = requestSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  return `Expected {"type":"watch","symbol","interval","limit"} or {"type":"ping","sentAt"}: ${issue?.path.join('.')}: ${issue?.message}`;
}

function viewFault(
  view: { readonly symbol: MarketSymbol; readonly interval: Interval },
  market: LiveMarket,
  intervals: readonly Interval[],
): string | undefined {
  const symbols = market.symbols();
  if (!symbols.includes(view.symbol)) {
    return `Expected one of the symbols ${symbols.slice(0, 10).join(', ')}, was "${view.symbol}": add it with --symbols`;
  }
  if (!intervals.includes(view.interval)) {
    return `Expected one of the intervals ${intervals.join(', ')}, was "${view.interval}": add it with --intervals`;
  }
  return undefined;
}

/** Pings; who has not answered by the next ping is cut off. Returns the way to stop. */
function keepAlive(socket: WebSocket, clock: Clock): () => void {
  const stop = new AbortController();
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  const beat = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(LIVE_PING_INTERVAL_MS, stop.signal);
      if (stop.signal.aborted) return;
      if (!isAlive) {
        socket.terminate();
        return;
      }
      isAlive = false;
      socket.ping();
    }
  };
  // Ends when the socket closes; nothing in it fails.
  void beat();
  return () => stop.abort();
}

// The sockets of `/ws` and `/stream`: limits, pings and control messages as the exchange has them.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import type { Clock, DurationMs } from '../../core/market/time.ts';
import { messageRate } from '../websocket/message-rate.ts';
import type { BinanceApiOptions } from './register.ts';
import { STREAMS_PER_CONNECTION_MAX, StreamConnection } from './stream-connection.ts';
import type { StreamHub } from './stream-hub.ts';
import { parseStreamNames, type Stream, type StreamsOffered } from './stream-name.ts';
import { parseStreamRequest, type StreamRequest } from './stream-request.ts';

/** Open stream connections at once; the next is told to try again later (1013). */
export const STREAM_CONNECTIONS_MAX = 1_024;
/** The exchange's: messages of a client, pings and pongs included, within a second. */
export const STREAM_MESSAGES_PER_SECOND_MAX = 5;
export const STREAM_PING_INTERVAL_MS: DurationMs = 20_000;
export const STREAM_PONG_MS_MAX: DurationMs = 60_000;

const CLOSE_POLICY = 1_008;
const CLOSE_TRY_LATER = 1_013;

const streamsQuery = z.object({ streams: z.string().default(''), timeUnit: z.string().optional() });

export function registerStreams(app: FastifyInstance, options: BinanceApiOptions): void {
  const hub = options.streams;
  const offered = (): StreamsOffered => ({
    symbols: options.market.symbols(),
    intervals: options.intervals,
  });
  const route = (path: string, isCombined: boolean): void => {
    const refuse = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      const asked = askedStreams(request, offered());
      if (typeof asked !== 'string') return;
      await reply.code(400).send({ code: 2, msg: `Invalid request: ${asked}` });
    };
    app.get(path, { websocket: true, preValidation: refuse }, (socket, request) => {
      const asked = askedStreams(request, offered());
      if (typeof asked === 'string' || hub.connections >= STREAM_CONNECTIONS_MAX) {
        socket.close(CLOSE_TRY_LATER, 'Too many connections; try again later');
        return;
      }
      serveStreams(socket, { hub, asked, isCombined, offered, clock: options.clock });
    });
  };
  route('/ws', false);
  route('/ws/*', false);
  route('/stream', true);
}

/** The streams the URL names, or what is wrong with them. */
function askedStreams(
  request: FastifyRequest,
  offered: StreamsOffered,
): readonly Stream[] | string {
  const query = streamsQuery.safeParse(request.query);
  if (!query.success) return 'each parameter may be sent once';
  const { streams, timeUnit = 'MILLISECOND' } = query.data;
  if (!/^millisecond$/i.test(timeUnit)) return `timeUnit "${timeUnit}" is not offered`;
  const params = z.object({ '*': z.string().default('') }).parse(request.params ?? {});
  const names = `${params['*']}/${streams}`.split('/').filter((name) => name !== '');
  if (names.length > STREAMS_PER_CONNECTION_MAX) {
    return `too many streams: ${names.length}, at most ${STREAMS_PER_CONNECTION_MAX}`;
  }
  return parseStreamNames(names, offered);
}

interface StreamsSession {
  readonly hub: StreamHub;
  readonly asked: readonly Stream[];
  readonly isCombined: boolean;
  readonly offered: () => StreamsOffered;
  readonly clock: Clock;
}

function serveStreams(socket: WebSocket, session: StreamsSession): void {
  const { hub, asked, isCombined, offered, clock } = session;
  const connection = new StreamConnection(socket, clock, isCombined);
  const isTooMany = messageRate(clock, STREAM_MESSAGES_PER_SECOND_MAX, 1_000);
  const count = (): boolean => {
    if (!isTooMany()) return true;
    socket.close(CLOSE_POLICY, 'Too many requests');
    return false;
  };
  const stopPinging = keepAlive(socket, clock);
  socket.on('ping', count);
  socket.on('pong', count);
  socket.on('message', (data: RawData) => {
    if (!count()) return;
    const request = parseStreamRequest(String(data));
    if ('code' in request) connection.reply(request);
    else answer(request, connection, hub, offered());
  });
  socket.on('close', () => {
    stopPinging();
    hub.remove(connection);
  });
  hub.add(connection);
  for (const stream of asked) hub.subscribe(connection, stream);
}

function answer(
  request: StreamRequest,
  connection: StreamConnection,
  hub: StreamHub,
  offered: StreamsOffered,
): void {
  const { id } = request;
  switch (request.method) {
    case 'SUBSCRIBE': {
      const streams = parseStreamNames(request.streams, offered);
      const fault = typeof streams === 'string' ? streams : countFault(connection, streams);
      if (fault !== undefined || typeof streams === 'string') {
        connection.reply({ code: 2, msg: `Invalid request: ${fault}`, id });
        return;
      }
      for (const stream of streams) hub.subscribe(connection, stream);
      connection.reply({ result: null, id });
      return;
    }
    case 'UNSUBSCRIBE':
      for (const name of request.streams) {
        const stream = connection.streams.get(name);
        if (stream !== undefined) hub.unsubscribe(connection, stream);
      }
      connection.reply({ result: null, id });
      return;
    case 'LIST_SUBSCRIPTIONS':
      connection.reply({ result: [...connection.streams.keys()], id });
      return;
    case 'SET_PROPERTY':
      connection.isCombined = request.combined;
      connection.reply({ result: null, id });
      return;
    case 'GET_PROPERTY':
      connection.reply({ result: connection.isCombined, id });
      return;
    default:
      request satisfies never;
  }
}

function countFault(connection: StreamConnection, streams: readonly Stream[]): string | undefined {
  const names = new Set([...connection.streams.keys(), ...streams.map(({ name }) => name)]);
  if (names.size <= STREAMS_PER_CONNECTION_MAX) return undefined;
  return `too many streams: ${names.size}, at most ${STREAMS_PER_CONNECTION_MAX}`;
}

/** Pings with a payload of its own; who has returned none of them for a minute is cut off. Returns the way to stop. */
function keepAlive(socket: WebSocket, clock: Clock): () => void {
  const stop = new AbortController();
  const unanswered = new Set<string>();
  let unansweredSince: number | undefined;
  socket.on('pong', (payload) => {
    if (!unanswered.has(String(payload))) return;
    unanswered.clear();
    unansweredSince = undefined;
  });
  const beat = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(STREAM_PING_INTERVAL_MS, stop.signal);
      if (stop.signal.aborted) return;
      const now = clock.now();
      if (unansweredSince !== undefined && now - unansweredSince >= STREAM_PONG_MS_MAX) {
        socket.terminate();
        return;
      }
      unansweredSince ??= now;
      unanswered.add(String(now));
      socket.ping(String(now));
    }
  };
  // Ends when the socket closes; nothing in it fails.
  void beat();
  return () => stop.abort();
}

// Keeps one connection to the combined stream open for ever: endpoints in turn, back-off, subscriptions, silence. It reads no frame.
import { STALE_AFTER_MS } from '../../core/market/feed-status.ts';
import type { Clock, DurationMs, EpochMs } from '../../core/market/time.ts';
import { attempted, broken, delayMs, INITIAL_BACK_OFF, isOffline } from './back-off.ts';
import { failureText } from './rest-request.ts';
import type { Socket } from './socket.ts';
import type { Transport } from './transport.ts';

/** Silence after which the connection is given up and a new one opened. */
export const SILENCE_RECONNECT_MS: DurationMs = 12_000;
/** Longest `?streams=` in the address; further streams are subscribed to by messages. */
export const URL_STREAMS_LENGTH_MAX = 3_000;
export const SUBSCRIBE_STREAMS_MAX = 200;
/** Between two messages: the exchange allows 5 a second, pongs included. */
export const MESSAGE_INTERVAL_MS: DurationMs = 300;
/** The exchange's limit a connection. */
export const STREAMS_MAX = 1_024;

export type ConnectionState = 'connecting' | 'offline' | 'open' | 'stale';

export interface Connection {
  /** Runs until `signal` aborts. */
  run(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Opens a new connection in place of this one. */
  replace(reason: string): void;
}

export interface ConnectionOptions {
  /** Base URLs without a path, in order of preference. */
  readonly webSocketUrls: readonly string[];
  readonly streams: readonly string[];
  readonly transport: Pick<Transport, 'openSocket'>;
  readonly clock: Clock;
  readonly random: () => number;
  /** `open` each time all streams are subscribed to on a new connection. */
  readonly onState: (state: ConnectionState, reason: string | undefined) => void;
  readonly onFrame: (bytes: Uint8Array) => void;
  readonly signal: AbortSignal;
}

export function createConnection(options: ConnectionOptions): Connection {
  const { webSocketUrls, clock, onState, signal } = options;
  const [inUrl, byMessage] = splitStreams(options.streams);
  let backOff = INITIAL_BACK_OFF;
  let current: Socket | undefined;
  let isPaused = false;
  let isStale = false;
  let heardAt = 0 as EpochMs;
  let replacedFor: string | undefined;

  function heard(): void {
    heardAt = clock.now();
    if (!isStale) return;
    isStale = false;
    onState('open', undefined);
  }

  async function connect(): Promise<string> {
    const base = webSocketUrls[backOff.urlIndex % webSocketUrls.length] ?? '';
    backOff = attempted(backOff, clock.now());
    let openedAt: EpochMs | undefined;
    try {
      const url = new URL(`/stream?streams=${inUrl}`, base);
      const socket = await options.transport.openSocket(url, {
        signal,
        onFrame(bytes) {
          heard();
          options.onFrame(bytes);
        },
      });
      current = socket;
      if (isPaused) socket.pause();
      openedAt = clock.now();
      return await use(socket);
    } catch (error) {
      return `${new URL(base).host}: ${failureText(error)}`;
    } finally {
      current = undefined;
      const livedMs = openedAt === undefined ? undefined : clock.now() - openedAt;
      backOff = broken(backOff, livedMs, webSocketUrls.length);
    }
  }

  async function use(socket: Socket): Promise<string> {
    const over = new AbortController();
    const closed = socket.closed.finally(() => over.abort());
    const end = AbortSignal.any([over.signal, signal]);
    for (const [index, streams] of byMessage.entries()) {
      if (index > 0) await clock.sleep(MESSAGE_INTERVAL_MS, end);
      socket.send(JSON.stringify({ method: 'SUBSCRIBE', params: streams, id: index + 1 }));
    }
    heardAt = clock.now();
    if (!end.aborted) onState('open', undefined);
    await watch(socket, end);
    const reason = await closed;
    return replacedFor ?? reason;
  }

  /** Sees silence; ends when the connection does. */
  async function watch(socket: Socket, end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      if (isPaused) heardAt = clock.now();
      const silence = clock.now() - heardAt;
      if (silence >= SILENCE_RECONNECT_MS) {
        replacedFor = `silent for ${Math.round(silence / 1_000)} s`;
        socket.end();
        return;
      }
      if (silence >= STALE_AFTER_MS && !isStale) {
        isStale = true;
        onState('stale', 'the exchange has fallen silent');
      }
      const next = silence >= STALE_AFTER_MS ? SILENCE_RECONNECT_MS : STALE_AFTER_MS;
      await clock.sleep(next - silence, end);
    }
  }

  return {
    async run() {
      onState('connecting', undefined);
      while (!signal.aborted) {
        await clock.sleep(delayMs(backOff, clock.now(), options.random()), signal);
        if (signal.aborted) return;
        isStale = false;
        replacedFor = undefined;
        const reason = await connect();
        if (signal.aborted) return;
        onState(isOffline(backOff, webSocketUrls.length) ? 'offline' : 'connecting', reason);
      }
    },
    pause() {
      isPaused = true;
      current?.pause();
    },
    resume() {
      isPaused = false;
      heardAt = clock.now();
      current?.resume();
    },
    replace(reason) {
      replacedFor = reason;
      current?.end();
    },
  };
}

/** What fits into the address, and the rest in messages. */
function splitStreams(streams: readonly string[]): [string, readonly (readonly string[])[]] {
  const inUrl: string[] = [];
  let length = 0;
  for (const stream of streams) {
    length += encodeURIComponent(stream).length + 1;
    if (length > URL_STREAMS_LENGTH_MAX) break;
    inUrl.push(stream);
  }
  const messages: string[][] = [];
  for (let at = inUrl.length; at < streams.length; at += SUBSCRIBE_STREAMS_MAX) {
    messages.push(streams.slice(at, at + SUBSCRIBE_STREAMS_MAX));
  }
  return [inUrl.map(encodeStream).join('/'), messages];
}

/** `@` stays readable; what is not ASCII is escaped. */
function encodeStream(stream: string): string {
  return encodeURIComponent(stream).replaceAll('%40', '@');
}

// One WebSocket to the exchange: opens within a limit, hands on frames, says once why it ended. Reconnecting is not its business.
import type { Agent } from 'node:http';
import { WebSocket } from 'ws';
import type { DurationMs } from '../../core/market/time.ts';

export const HANDSHAKE_TIMEOUT_MS: DurationMs = 5_000;
/** The exchange's frames are below 1 kB; a longer one than this ends the connection. */
export const FRAME_BYTES_MAX = 1024 * 1024;

export interface Socket {
  /** Resolves with the reason when the connection is over; never rejects. */
  readonly closed: Promise<string>;
  send(text: string): void;
  /** Stops and resumes reading; the network's own flow control does the rest. */
  pause(): void;
  resume(): void;
  /** At once, without the closing handshake. */
  end(): void;
}

export interface SocketEvents {
  readonly signal: AbortSignal;
  readonly onFrame: (bytes: Uint8Array) => void;
}

export interface SocketOptions extends SocketEvents {
  readonly url: string;
  readonly agent?: Agent;
}

/** @throws the handshake's error; `cause.status` is not read: the message carries the HTTP status. */
export async function openSocket(options: SocketOptions): Promise<Socket> {
  const { signal } = options;
  signal.throwIfAborted();
  const socket = new WebSocket(options.url, {
    ...(options.agent === undefined ? {} : { agent: options.agent }),
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    maxPayload: FRAME_BYTES_MAX,
    perMessageDeflate: false,
    skipUTF8Validation: true, // The JSON reader meets wrong UTF-8; the trade scanner takes ASCII only.
  });
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<string>();
  let lastError: Error | undefined;
  const end = () => socket.terminate();
  signal.addEventListener('abort', end, { once: true });
  socket.on('open', opened.resolve);
  socket.on('error', (error) => {
    lastError = error;
  });
  socket.on('close', (code, reason) => {
    signal.removeEventListener('abort', end);
    const text = lastError?.message ?? `closed by the exchange (${code}${reasonText(reason)})`;
    opened.reject(lastError ?? new Error(text));
    closed.resolve(text);
  });
  socket.on('message', (data) => {
    // Binary type is the default, so that a frame is one Buffer.
    options.onFrame(data as Buffer);
  });
  await opened.promise;
  return {
    closed: closed.promise,
    send: (text) => socket.send(text),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end,
  };
}

function reasonText(reason: Buffer): string {
  return reason.length === 0 ? '' : `, ${reason.toString('utf8').slice(0, 100)}`;
}

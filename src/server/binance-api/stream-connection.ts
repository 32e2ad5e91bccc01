// One client of the streams: its subscriptions and what may be sent to it. Trades are never dropped: who cannot follow is cut off.
import type { Clock, DurationMs } from '../../core/market/time.ts';
import type { LiveSocket } from '../websocket/live-socket.ts';
import type { Stream } from './stream-name.ts';

/** Unsent bytes beyond which a client is cut off; some 30,000 trades. */
export const STREAM_BUFFER_BYTES_MAX = 4 * 1024 * 1024;
/** Unsent bytes beyond which open candles wait and only their newest state is sent. */
export const STREAM_SLOW_BYTES_MAX = 64 * 1024;
export const STREAM_SLOW_CHECK_MS: DurationMs = 100;
export const STREAMS_PER_CONNECTION_MAX = 1_024;

const CLOSE_SLOW_READER = 1_008;

/** An event as text, raw; its combined form is written once, when the first client wants it. */
export interface StreamFrame {
  readonly name: string;
  readonly raw: string;
  combined: string | undefined;
}

export class StreamConnection {
  readonly #socket: LiveSocket;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  /** Newest states of open candles that wait for a slow reader, by stream. */
  readonly #waiting = new Map<string, StreamFrame>();
  #isDraining = false;
  readonly streams = new Map<string, Stream>();
  isCombined: boolean;

  constructor(socket: LiveSocket, clock: Clock, isCombined: boolean) {
    this.#socket = socket;
    this.#clock = clock;
    this.isCombined = isCombined;
  }

  /** Of an event that must not be lost: a trade, a closed candle. Takes the place of an open state that still waits. */
  send(frame: StreamFrame): void {
    if (this.#closed.signal.aborted) return;
    this.#waiting.delete(frame.name);
    if (this.#socket.bufferedAmount > STREAM_BUFFER_BYTES_MAX) {
      this.close();
      this.#socket.close(CLOSE_SLOW_READER, 'Too slow: events were not read in time');
      return;
    }
    this.#write(frame);
  }

  /** Of an open candle: of several that wait only the newest is sent. */
  sendNewest(frame: StreamFrame): void {
    if (this.#closed.signal.aborted) return;
    if (this.#socket.bufferedAmount <= STREAM_SLOW_BYTES_MAX && this.#waiting.size === 0) {
      this.#write(frame);
      return;
    }
    this.#waiting.set(frame.name, frame);
    // Ends when nothing waits or the connection closes; nothing in it fails.
    if (!this.#isDraining) void this.#drain();
  }

  /** An answer to a control message. */
  reply(message: unknown): void {
    if (!this.#closed.signal.aborted) this.#socket.send(JSON.stringify(message));
  }

  close(): void {
    this.#closed.abort();
    this.#waiting.clear();
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    while (this.#waiting.size > 0) {
      await this.#clock.sleep(STREAM_SLOW_CHECK_MS, this.#closed.signal);
      if (this.#socket.bufferedAmount > STREAM_SLOW_BYTES_MAX) continue;
      for (const frame of this.#waiting.values()) this.#write(frame);
      this.#waiting.clear();
    }
    this.#isDraining = false;
  }

  #write(frame: StreamFrame): void {
    if (!this.isCombined) {
      this.#socket.send(frame.raw);
      return;
    }
    frame.combined ??= `{"stream":${JSON.stringify(frame.name)},"data":${frame.raw}}`;
    this.#socket.send(frame.combined);
  }
}

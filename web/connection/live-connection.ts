// The socket to /api/v1/live: keeps one open, tells what it hears. Decides nothing: connection-state.ts does.
import type { BrowserRequest, ServerMessage } from '../../src/protocol/browser.ts';
import {
  type ConnectionEvent,
  type ConnectionState,
  startConnection,
  stepConnection,
} from './connection-state.ts';
import { parseMessage } from './parse-message.ts';

export interface LiveConnectionOptions {
  readonly url: string;
  readonly now: () => number;
  readonly random: () => number;
  readonly onMessage: (message: ServerMessage, receivedAt: number) => void;
  readonly onState: (state: ConnectionState) => void;
}

export interface LiveConnection {
  /** Sent at once where the socket is open, else dropped: the caller asks anew at each `hello`. */
  send(request: BrowserRequest): void;
  /** To be called a few times a second: retries and time limits hang on it. */
  tick(): void;
  /** Tries again at once if it waits (the network is back, the page is looked at again). */
  retryNow(): void;
  /** Idempotent. */
  close(): void;
}

/** Connects at once and stays connected until closed. */
export function openLiveConnection(options: LiveConnectionOptions): LiveConnection {
  let state = startConnection(options.now());
  let socket = open();
  let isClosed = false;

  function step(event: ConnectionEvent): void {
    if (isClosed) return;
    const next = stepConnection(state, event);
    const isChanged = next.state !== state;
    state = next.state;
    if (next.action === 'drop') drop();
    if (next.action === 'connect') socket = open();
    if (isChanged) options.onState(state);
  }

  function open(): WebSocket {
    const opened = new WebSocket(options.url);
    opened.onopen = () => step({ type: 'opened', now: options.now() });
    opened.onclose = () => step({ type: 'closed', now: options.now(), random: options.random() });
    opened.onmessage = (event: MessageEvent<unknown>) => {
      const message = parseMessage(event.data);
      if (message === undefined) return;
      const receivedAt = options.now();
      step({ type: 'message', now: receivedAt });
      options.onMessage(message, receivedAt);
    };
    return opened;
  }

  /** A dead socket's own close event can take minutes: it is not waited for. */
  function drop(): void {
    silence(socket);
    socket.close();
    step({ type: 'closed', now: options.now(), random: options.random() });
  }

  return {
    send(request) {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request));
    },
    tick: () => step({ type: 'tick', now: options.now() }),
    retryNow: () => step({ type: 'retry-now', now: options.now() }),
    close() {
      isClosed = true;
      silence(socket);
      socket.close();
    },
  };
}

function silence(socket: WebSocket): void {
  socket.onopen = null;
  socket.onclose = null;
  socket.onmessage = null;
}

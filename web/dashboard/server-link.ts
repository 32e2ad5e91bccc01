// The page's link to its server: the socket and, by pings over it, the exchange's clock. Shows nothing.
import type { BrowserRequest, ServerMessage } from '../../src/protocol/browser.ts';
import {
  type ClockEstimate,
  exchangeTimeAt,
  UNKNOWN_CLOCK,
  withPong,
  withStatus,
} from '../connection/clock-estimate.ts';
import { type ConnectionState, isServerLost } from '../connection/connection-state.ts';
import { openLiveConnection } from '../connection/live-connection.ts';

const PING_MS = 5_000;
/** The first pings come one a tick: the clock should be right from the first second. */
const FIRST_PINGS = 4;

export interface ServerLinkOptions {
  /** Where the page is: the server's address. */
  readonly base: string;
  /** Epoch ms by the page's clock, which never jumps. */
  readonly now: () => number;
  readonly random: () => number;
  readonly onMessage: (message: ServerMessage) => void;
}

export interface ServerLink {
  send(request: BrowserRequest): void;
  /** To be called a few times a second. */
  tick(): void;
  retryNow(): void;
  /** The exchange's time now, ms. */
  exchangeNow(): number;
  isLost(): boolean;
  /** The exchange's time of the last word from the server, ms. */
  lastHeardAt(): number | undefined;
  close(): void;
}

export function openServerLink(options: ServerLinkOptions): ServerLink {
  let clock: ClockEstimate = UNKNOWN_CLOCK;
  let state: ConnectionState | undefined;
  let pings = 0;
  let pingAt = 0;
  const url = new URL('api/v1/live', options.base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

  function hear(message: ServerMessage, receivedAt: number): void {
    if (message.type === 'pong') {
      clock = withPong(clock, { ...message, receivedAt });
      return;
    }
    if (message.type === 'hello') {
      // Another process, perhaps another machine: what was known of its clock is void.
      clock = UNKNOWN_CLOCK;
      pings = 0;
      pingAt = 0;
    }
    if (message.type === 'hello' || message.type === 'status') {
      clock = withStatus(clock, { ...message.status, receivedAt });
    }
    options.onMessage(message);
  }

  const connection = openLiveConnection({
    url: url.href,
    now: options.now,
    random: options.random,
    onMessage: hear,
    onState: (next) => {
      state = next;
    },
  });

  return {
    send: connection.send,
    tick() {
      connection.tick();
      const now = options.now();
      if (state?.phase !== 'open' || now < pingAt) return;
      pings += 1;
      pingAt = pings < FIRST_PINGS ? now : now + PING_MS;
      connection.send({ type: 'ping', sentAt: options.now() });
    },
    retryNow: connection.retryNow,
    exchangeNow: () => exchangeTimeAt(clock, options.now()),
    isLost: () => state !== undefined && isServerLost(state, options.now()),
    lastHeardAt: () =>
      state?.lastMessageAt === undefined ? undefined : exchangeTimeAt(clock, state.lastMessageAt),
    close: connection.close,
  };
}

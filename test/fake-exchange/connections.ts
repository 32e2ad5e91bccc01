// The exchange's WebSocket connections: admission, subscriptions, limits, pings, fan-out, and the
// direct faults (reset, freeze). Knows nothing of trades or candles, and holds no socket: a client is
// what `web-sockets.ts` makes of one, or a simulated network.
import { answerControl, type ControlResult } from './control-messages.ts';
import type { Faults, Frame, UpgradeRequest } from './faults.ts';
import { combinedText, SHUTDOWN_STREAM, shutdownEvent } from './frames.ts';

/** One attempt to connect, kept for tests to look at. */
export interface ConnectionRecord {
  readonly id: number;
  /** As requested, with its query. */
  readonly url: string;
  /** Exchange time (ms). */
  readonly openedAt: number;
  closedAt: number | undefined;
  /** HTTP status; 101 for a connection that was made. */
  readonly status: number;
  /** Subscribed streams, now or at the end. */
  readonly streams: ReadonlySet<string>;
}

export interface Breach {
  readonly type: 'attempts' | 'messages' | 'streams' | 'weight' | 'banned' | 'pong';
  /** Exchange time (ms). */
  readonly time: number;
  readonly detail: string;
}

export interface ConnectionOptions {
  readonly faults: () => Faults;
  /** Exchange time (ms). */
  readonly now: () => number;
  /** The time limits and pings are kept in (ms): real unless the clock is manual. */
  readonly transportNow: () => number;
  /** Real, monotonic (ms): the messages-a-second limit. */
  readonly realNow: () => number;
  /** `undefined`: no pings. */
  readonly pingIntervalMs: number | undefined;
  readonly pongTimeoutMs: number;
  readonly lifetimeMs: number;
  readonly isBanned: () => boolean;
  readonly onBreach: (type: Breach['type'], detail: string) => void;
  /** A stream got its first subscriber, or lost its last. */
  readonly onStream: (stream: string, watched: boolean) => void;
  readonly onDelayed: (delayMs: number, send: () => void) => void;
}

/** The exchange's end of one connection. */
export interface Client {
  readonly isOpen: boolean;
  readonly bufferedBytes: number;
  send(text: string): void;
  ping(payload: string): void;
  pong(payload: string): void;
  /** With the closing handshake. */
  close(code: number, reason: string): void;
  /** TCP RST. */
  reset(): void;
  /** Stops and resumes reading what the client sends. */
  pause(): void;
  resume(): void;
  /** What is sent in between leaves in one write. */
  cork(): void;
  uncork(): void;
}

/** What a client's end tells the exchange. */
export interface ClientEvents {
  text(message: string): void;
  ping(payload: string): void;
  /** With the payload that came. */
  pong(payload: string): void;
  closed(): void;
}

export interface Connections {
  /** Every attempt so far, oldest first. */
  readonly records: readonly ConnectionRecord[];
  openCount(): number;
  /** An attempt to connect, counted: the HTTP status it is refused with; `undefined`: open it. */
  refusal(request: UpgradeRequest): number | undefined;
  /** The attempt was not refused: this is its client. `url` as requested. */
  open(url: string, client: Client): ClientEvents;
  /** Sends an event to whoever is subscribed to `stream`. */
  broadcast(stream: string, event: string): void;
  subscribers(stream: string): number;
  /** Runs `send`; what it sends leaves in one write a connection. */
  corked(send: () => void): void;
  /** Pings, and cuts what did not answer or is 24 h old. */
  keepAlive(): void;
  announceShutdown(): void;
  /** TCP RST on every connection, or on those with these ids. */
  reset(ids?: readonly number[]): void;
  close(code: number, reason: string, openedBy: number): void;
  /** Default: all of them. */
  freeze(ids?: readonly number[]): void;
  /** Pongs that copied a ping's payload, over all open connections. */
  pongs(): number;
  unfreeze(): void;
  /** Bytes waiting in the fullest connection. */
  bufferedBytes(): number;
}

interface Connection {
  readonly id: number;
  readonly record: ConnectionRecord;
  readonly client: Client;
  readonly streams: Set<string>;
  readonly openedAt: number;
  readonly messageTimes: number[];
  combined: boolean;
  frozen: boolean;
  pingedAt: number;
  /** Payloads of the pings that have no pong yet. */
  readonly pings: Set<string>;
  /** Pongs that copied a ping. */
  pongs: number;
  /** Of the oldest ping that has no pong yet. */
  unansweredSince: number | undefined;
}

export const STREAMS_MAX = 1_024;
export const MESSAGES_PER_SECOND = 5;
export const ATTEMPTS_MAX = 300;
const ATTEMPTS_WINDOW_MS = 5 * 60_000;
const POLICY_VIOLATION = 1008;

/** A client that reads slower than this allows is cut, as the exchange does. */
const SEND_BUFFER_MAX = 64 * 1024 * 1024;

/** Records kept; the oldest are forgotten. */
const RECORDS_MAX = 10_000;

export function createConnections(options: ConnectionOptions): Connections {
  const open = new Set<Connection>();
  const byStream = new Map<string, Set<Connection>>();
  const records: ConnectionRecord[] = [];
  let attempts: number[] = [];
  let nextId = 1;

  function record(url: string, status: number, streams: ReadonlySet<string>): ConnectionRecord {
    const openedAt = options.now();
    const closedAt = status === 101 ? undefined : openedAt;
    const made = { id: nextId, url, openedAt, closedAt, status, streams };
    nextId += 1;
    records.push(made);
    if (records.length > RECORDS_MAX) records.shift();
    return made;
  }

  function refusalStatus(request: UpgradeRequest): number | undefined {
    const now = options.transportNow();
    attempts = attempts.filter((time) => time > now - ATTEMPTS_WINDOW_MS);
    attempts.push(now);
    if (options.isBanned()) {
      options.onBreach('banned', `upgrade ${request.url}`);
      return 418;
    }
    if (attempts.length > ATTEMPTS_MAX) {
      options.onBreach('attempts', `${attempts.length} attempts in 5 minutes`);
      return 429;
    }
    return options.faults().onUpgrade?.(request);
  }

  function subscribe(connection: Connection, streams: readonly string[]): void {
    for (const stream of streams) {
      connection.streams.add(stream);
      const subscribers = byStream.get(stream) ?? new Set();
      byStream.set(stream, subscribers.add(connection));
      if (subscribers.size === 1) options.onStream(stream, true);
    }
    if (connection.streams.size > STREAMS_MAX) {
      options.onBreach('streams', `${connection.streams.size} streams on one connection`);
      connection.client.close(POLICY_VIOLATION, 'Too many streams');
    }
  }

  function unsubscribe(connection: Connection, streams: readonly string[]): void {
    for (const stream of streams) {
      const subscribers = byStream.get(stream);
      if (!subscribers?.delete(connection) || subscribers.size > 0) continue;
      byStream.delete(stream);
      options.onStream(stream, false);
    }
  }

  function forget(connection: Connection): void {
    if (!open.delete(connection)) return;
    connection.record.closedAt = options.now();
    unsubscribe(connection, [...connection.streams]);
  }

  /** Counts a ping, pong or control message; false if it was one too many. */
  function isWithinRate(connection: Connection): boolean {
    const now = options.realNow();
    const times = connection.messageTimes;
    times.push(now);
    while ((times[0] ?? now) <= now - 1_000) times.shift();
    if (times.length <= MESSAGES_PER_SECOND) return true;
    options.onBreach('messages', `${times.length} messages in a second`);
    connection.client.close(POLICY_VIOLATION, 'Too many requests');
    return false;
  }

  function apply(connection: Connection, change: ControlResult): void {
    if (change.type === 'subscribe') subscribe(connection, change.streams);
    if (change.type === 'set-combined') connection.combined = change.combined;
    if (change.type !== 'unsubscribe') return;
    unsubscribe(connection, change.streams);
    for (const stream of change.streams) connection.streams.delete(stream);
  }

  function eventsOf(connection: Connection): ClientEvents {
    const { client } = connection;
    return {
      text(message) {
        if (!isWithinRate(connection)) return;
        const refusal = options.faults().onControl?.(message, connection);
        if (refusal !== undefined) {
          client.send(refusal);
          return;
        }
        const { reply, change } = answerControl(message, connection);
        apply(connection, change);
        client.send(reply);
      },
      ping(payload) {
        if (isWithinRate(connection)) client.pong(payload);
      },
      pong(payload) {
        if (isWithinRate(connection)) answered(connection, payload);
      },
      closed: () => forget(connection),
    };
  }

  /** An unasked pong is allowed, but with an empty payload, and keeps nothing alive. */
  function answered(connection: Connection, payload: string): void {
    if (!connection.pings.delete(payload)) {
      if (payload !== '') options.onBreach('pong', `pong "${payload}" copies no ping`);
      return;
    }
    connection.pongs += 1;
    connection.unansweredSince = undefined;
  }

  function deliver(connection: Connection, frame: Frame): void {
    const { client } = connection;
    if (connection.frozen || !client.isOpen) return;
    client.send(frame.text);
    if (client.bufferedBytes > SEND_BUFFER_MAX) client.reset();
  }

  function deliverFaulty(connection: Connection, frame: Frame): void {
    for (const each of options.faults().onFrame?.(frame, connection) ?? [frame]) {
      if (each.delayMs === undefined) deliver(connection, each);
      else options.onDelayed(each.delayMs, () => deliver(connection, each));
    }
  }

  function keepAliveOne(connection: Connection, now: number): void {
    const { client } = connection;
    if (now - connection.openedAt >= options.lifetimeMs) {
      client.close(1001, 'Connection is 24 hours old');
      return;
    }
    if (options.pingIntervalMs === undefined || connection.frozen) return;
    if (now - (connection.unansweredSince ?? now) >= options.pongTimeoutMs) {
      client.close(POLICY_VIOLATION, 'Pong timeout');
      return;
    }
    if (now - connection.pingedAt < options.pingIntervalMs) return;
    connection.pingedAt = now;
    connection.unansweredSince ??= now;
    const payload = String(now);
    connection.pings.add(payload);
    client.ping(payload);
  }

  return {
    records,
    openCount: () => open.size,
    pongs: () => [...open].reduce((sum, { pongs }) => sum + pongs, 0),
    subscribers: (stream) => byStream.get(stream)?.size ?? 0,
    refusal(request) {
      const url = request.url ?? '';
      const status = refusalStatus(request) ?? (parseStreamUrl(url) ? undefined : 404);
      if (status !== undefined) record(url, status, new Set());
      return status;
    },
    open(url, client) {
      const requested = parseStreamUrl(url);
      const streams = new Set<string>();
      const made = record(url, 101, streams);
      const openedAt = options.transportNow();
      const connection: Connection = {
        id: made.id,
        record: made,
        client,
        streams,
        openedAt,
        messageTimes: [],
        combined: requested?.combined ?? false,
        frozen: false,
        pingedAt: openedAt,
        pings: new Set(),
        pongs: 0,
        unansweredSince: undefined,
      };
      open.add(connection);
      subscribe(connection, requested?.streams ?? []);
      return eventsOf(connection);
    },
    broadcast(stream, event) {
      const subscribers = byStream.get(stream);
      if (subscribers === undefined) return;
      const isFaulty = options.faults().onFrame !== undefined;
      let combined: string | undefined;
      for (const connection of subscribers) {
        if (connection.combined) combined ??= combinedText(stream, event);
        const frame = { stream, text: connection.combined ? (combined ?? event) : event };
        if (isFaulty) deliverFaulty(connection, frame);
        else deliver(connection, frame);
      }
    },
    corked(send) {
      const clients = [...open].map(({ client }) => client);
      for (const client of clients) client.cork();
      try {
        send();
      } finally {
        for (const client of clients) client.uncork();
      }
    },
    keepAlive() {
      const now = options.transportNow();
      for (const connection of open) keepAliveOne(connection, now);
    },
    announceShutdown() {
      const event = shutdownEvent(options.now());
      for (const connection of open) {
        const text = connection.combined ? combinedText(SHUTDOWN_STREAM, event) : event;
        deliver(connection, { stream: SHUTDOWN_STREAM, text });
      }
    },
    reset(ids) {
      for (const connection of [...open]) {
        if (ids !== undefined && !ids.includes(connection.id)) continue;
        connection.client.reset();
        forget(connection);
      }
    },
    close(code, reason, openedBy) {
      for (const { client, record } of open) {
        if (record.openedAt <= openedBy) client.close(code, reason);
      }
    },
    freeze(ids) {
      for (const connection of open) {
        if (ids !== undefined && !ids.includes(connection.id)) continue;
        connection.frozen = true;
        connection.client.pause();
      }
    },
    unfreeze() {
      for (const connection of open) {
        connection.frozen = false;
        connection.client.resume();
      }
    },
    bufferedBytes() {
      let most = 0;
      for (const { client } of open) most = Math.max(most, client.bufferedBytes);
      return most;
    },
  };
}

interface RequestedStreams {
  readonly streams: readonly string[];
  readonly combined: boolean;
}

/** `/ws`, `/ws/a/b`, `/stream`, `/stream?streams=a/b`, URL-encoded or not; else `undefined`. */
export function parseStreamUrl(url: string): RequestedStreams | undefined {
  const { pathname, searchParams } = new URL(url, 'ws://exchange');
  // Times in microseconds are not offered: better no connection than wrong times.
  if (/^microsecond$/i.test(searchParams.get('timeUnit') ?? '')) return undefined;
  const names = (text: string) => text.split('/').filter((name) => name !== '');
  if (pathname === '/stream' || pathname === '/stream/') {
    return { streams: names(searchParams.get('streams') ?? ''), combined: true };
  }
  if (pathname !== '/ws' && !pathname.startsWith('/ws/')) return undefined;
  return { streams: names(decodeURIComponent(pathname.slice('/ws'.length))), combined: false };
}

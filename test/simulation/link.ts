// One simulated WebSocket connection: the exchange's end (`client`) and the product's (`socket`). In order, each way, until it breaks.
import type { Socket } from '../../src/feed/binance/socket.ts';
import type { Client, ClientEvents } from '../fake-exchange/connections.ts';
import type { Life } from './life.ts';
import type { Draw } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Link {
  readonly client: Client;
  readonly socket: Socket;
  /** Tells the link who listens at the exchange. */
  begin(events: ClientEvents): void;
  /** Does `act` in the product after everything sent before. */
  toProduct(act: () => void): void;
  /** Nothing gets through any more. The product hears of it after the sleep: by a reset, or never. */
  sever(): void;
  /** The product is dead. */
  abandon(isSilent: boolean): void;
}

export interface LinkOptions {
  readonly life: Life;
  readonly time: VirtualTime;
  /** One way, ms; drawn for each thing sent. */
  readonly latency: () => number;
  readonly draw: Draw;
  readonly note: (what: string) => void;
  readonly signal: AbortSignal;
  readonly onFrame: (bytes: Uint8Array) => void;
}

interface Queued {
  readonly due: number;
  readonly bytes: number;
  readonly act: () => void;
}

export function createLink(options: LinkOptions): Link {
  const { life, time, latency, draw, note, signal } = options;
  const closed = Promise.withResolvers<string>();
  let events: ClientEvents | undefined;
  let queue: Queued[] = [];
  let queuedBytes = 0;
  let lastDue = 0;
  let plannedFor = -1;
  let isOpenAtExchange = true;
  let isOver = false;
  let isPaused = false;
  let isSevered = false;

  function enqueue(bytes: number, act: () => void): void {
    if (isSevered) return;
    lastDue = Math.max(lastDue, time.now() + Math.ceil(latency()));
    queue.push({ due: lastDue, bytes, act });
    queuedBytes += bytes;
    if (plannedFor === lastDue) return;
    plannedFor = lastDue;
    life.arrive(lastDue - time.now(), deliver);
  }

  /** Everything that has arrived, as one read of a socket. */
  function deliver(): void {
    let next = queue[0];
    while (next !== undefined && next.due <= time.now() && !isPaused && !isOver) {
      queue.shift();
      queuedBytes -= next.bytes;
      next.act();
      next = queue[0];
    }
  }

  function end(reason: string): void {
    if (isOver) return;
    isOver = true;
    queue = [];
    signal.removeEventListener('abort', onAbort);
    note(`socket over: ${reason}`);
    closed.resolve(reason);
  }

  /** The exchange hears, after a while, that the client is gone. */
  function tellExchange(): void {
    if (isSevered) return;
    time.after(latency(), () => {
      isOpenAtExchange = false;
      events?.closed();
    });
  }

  function send(act: () => void): void {
    if (isSevered || isOver || !life.leaves('message')) return;
    time.after(latency(), () => {
      if (isOpenAtExchange && !isSevered) act();
    });
  }

  function terminate(): void {
    if (isOver || !life.leaves('end of a socket')) return;
    tellExchange();
    life.arrive(1, () => end('closed by the exchange (1006)'));
  }

  const onAbort = () => terminate();
  signal.addEventListener('abort', onAbort, { once: true });

  const client: Client = {
    get isOpen() {
      return isOpenAtExchange;
    },
    get bufferedBytes() {
      return queuedBytes;
    },
    send(text) {
      note(`> ${text}`);
      enqueue(text.length, () => options.onFrame(Buffer.from(text)));
    },
    ping(payload) {
      enqueue(payload.length, () => send(() => events?.pong(payload)));
    },
    pong() {},
    close(code, reason) {
      isOpenAtExchange = false;
      enqueue(reason.length, () => end(`closed by the exchange (${code}, ${reason})`));
      time.after(latency() * 2, () => events?.closed());
    },
    reset() {
      isOpenAtExchange = false;
      if (draw.chance(0.5)) queue = [];
      enqueue(0, () => end('read ECONNRESET'));
    },
    pause() {},
    resume() {},
    cork() {},
    uncork() {},
  };

  const socket: Socket = {
    closed: closed.promise,
    send(text) {
      note(`< ${text}`);
      send(() => events?.text(text));
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      life.arrive(0, deliver);
    },
    end: terminate,
  };

  return {
    client,
    socket,
    begin(listener) {
      events = listener;
    },
    toProduct: (act) => enqueue(0, act),
    sever() {
      isSevered = true;
      queue = [];
      if (draw.chance(0.5)) life.arrive(draw.integer(1, 30_000), () => end('read ECONNRESET'));
    },
    abandon(isSilent) {
      if (isSilent) isSevered = true;
      else tellExchange();
    },
  };
}

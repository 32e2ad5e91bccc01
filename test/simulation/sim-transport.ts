// The network between one life of the product and the exchange: latency, order within a connection, everything that can break on the way.
// Nothing is decided here about candles or trades.
import type { HttpAnswer } from '../../src/feed/binance/http-get.ts';
import type { Socket, SocketEvents } from '../../src/feed/binance/socket.ts';
import type { GetOptions, Transport } from '../../src/feed/binance/transport.ts';
import type { Life } from './life.ts';
import { createLink, type Link } from './link.ts';
import type { Draw } from './random.ts';
import type { SimExchange } from './sim-exchange.ts';
import type { Trace } from './trace.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface SimNetwork extends Transport {
  /** The machine has gone to sleep: all its connections are dead; it hears of it by a reset, or never. */
  sever(): void;
  /** The process is dead. `isSilent`: without the system telling the exchange, as when the power fails. */
  abandon(isSilent: boolean): void;
}

export interface SimNetworkOptions {
  readonly life: Life;
  readonly exchange: SimExchange;
  readonly time: VirtualTime;
  readonly draw: Draw;
  readonly trace: Trace;
  /** One way, ms. */
  readonly latencyMs: number;
}

/** The product's own limit for a handshake; here it belongs to the network. */
const HANDSHAKE_TIMEOUT_MS = 5_000;

export function createSimNetwork(options: SimNetworkOptions): SimNetwork {
  const { life, exchange, time, draw, trace } = options;
  const links = new Set<Link>();
  /** Grows when the machine sleeps: what was under way before is lost. */
  let epoch = 0;
  let blockedUntil = 0;

  const jitter = () => (draw.chance(0.02) ? draw.integer(0, 200) : draw.integer(0, 3));
  const latency = () => options.latencyMs + jitter() + exchange.weather.slownessMs;
  const note = (what: string) => trace.add(time.now(), `#${life.number} ${what}`);

  async function openSocket(url: URL, { signal, onFrame }: SocketEvents): Promise<Socket> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    if (!life.leaves('connect')) return promise;
    const begun = epoch;
    const timeout = life.timer(HANDSHAKE_TIMEOUT_MS, () =>
      fail(new Error('Opening handshake has timed out')),
    );
    let link: Link | undefined;
    let isOver = false;

    function fail(error: unknown): void {
      if (isOver) return;
      isOver = true;
      timeout.cancel();
      link?.socket.end();
      note(`connect failed: ${error instanceof Error ? error.message : String(error)}`);
      reject(error);
    }

    function reachExchange(): void {
      if (isOver || begun !== epoch || !life.isAlive()) return;
      const verdict = exchange.admit(url);
      note(`connect ${url.host}: ${verdict ?? 'accepted'}`);
      if (verdict === 'hangs') return;
      if (verdict === 'refused') {
        life.arrive(latency(), () => fail(new Error(`connect ECONNREFUSED ${url.host}`)));
      } else if (verdict !== undefined) {
        const error = new Error(`Unexpected server response: ${verdict}`);
        life.arrive(latency(), () => fail(error));
      } else {
        accept();
      }
    }

    function accept(): void {
      const made = createLink({ life, time, latency, draw, note, signal, onFrame });
      link = made;
      links.add(made);
      void made.socket.closed.then(() => links.delete(made));
      made.begin(exchange.open(url, made.client));
      made.toProduct(() => {
        if (isOver) return;
        isOver = true;
        timeout.cancel();
        resolve(made.socket);
      });
    }

    signal.addEventListener('abort', () => fail(signal.reason), { once: true });
    time.after(latency(), reachExchange);
    return promise;
  }

  async function get(url: URL, { timeoutMs, signal }: GetOptions): Promise<HttpAnswer> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    if (!life.leaves('request')) return promise;
    if (time.now() < blockedUntil) {
      exchange.breached('banned', `${url.pathname} before Retry-After was over`);
    }
    const begun = epoch;
    const path = url.pathname + url.search;
    /** Nobody reads an answer any more: a Retry-After that comes then cannot be kept. */
    let isOver = false;
    const timeout = life.timer(timeoutMs, () => {
      isOver = true;
      note(`GET ${path}: no answer in time`);
      reject(timeoutError());
    });
    const onAbort = () => {
      isOver = true;
      timeout.cancel();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });

    function over(act: () => void): void {
      life.arrive(latency() + exchange.weather.restSlowMs, () => {
        if (begun !== epoch || isOver) return;
        timeout.cancel();
        signal.removeEventListener('abort', onAbort);
        act();
      });
    }

    time.after(latency(), () => {
      if (begun !== epoch || !life.isAlive()) return;
      const answer = exchange.answer(url);
      if (answer === 'hangs') return note(`GET ${path}: hangs`);
      if (answer === 'refused' || answer === 'aborted') {
        note(`GET ${path}: ${answer}`);
        const message = answer === 'refused' ? `connect ECONNREFUSED ${url.host}` : 'aborted';
        return over(() => reject(new Error(message)));
      }
      const { status, body } = answer;
      note(`GET ${path}: ${status}, ${body.length} characters`);
      const headers = lowerCased(answer.headers);
      return over(() => {
        const seconds = Number(headers['retry-after']);
        if (seconds > 0) blockedUntil = Math.max(blockedUntil, time.now() + seconds * 1_000);
        resolve({ status, headers, body });
      });
    });
    return promise;
  }

  return {
    openSocket,
    get,
    destroy() {},
    sever() {
      epoch += 1;
      for (const link of links) link.sever();
    },
    abandon(isSilent) {
      for (const link of links) link.abandon(isSilent);
    },
  };
}

function timeoutError(): Error {
  const error = new Error('The operation was aborted due to timeout');
  error.name = 'TimeoutError';
  return error;
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

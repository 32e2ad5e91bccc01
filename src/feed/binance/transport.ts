// What the feed reaches the exchange by: one WebSocket, one HTTP GET. The network, or (in tests) a simulated one under a virtual clock.
// Time-outs are a transport's own, for only it knows what its time is.
import type { DurationMs } from '../../core/market/time.ts';
import { createAgents, type HttpAnswer, httpGet } from './http-get.ts';
import { openSocket, type Socket, type SocketEvents } from './socket.ts';

export interface Transport {
  /** @throws the handshake's error, or the signal's reason; the message carries the HTTP status of a refusal. */
  openSocket(url: URL, options: SocketEvents): Promise<Socket>;
  /** Any status is an answer. @throws the network's error, one named TimeoutError after `timeoutMs`, or the signal's reason. */
  get(url: URL, options: GetOptions): Promise<HttpAnswer>;
  /** Closes what is kept open between requests. */
  destroy(): void;
}

export interface GetOptions {
  readonly timeoutMs: DurationMs;
  readonly signal: AbortSignal;
}

/** `proxy`: as in HTTPS_PROXY; used for TLS endpoints, REST and WebSocket. */
export function networkTransport(proxy?: string): Transport {
  const agents = createAgents(proxy);
  return {
    openSocket(url, options) {
      const agent = agents.forWebSocket(url);
      return openSocket({ url: url.href, ...(agent === undefined ? {} : { agent }), ...options });
    },
    get: (url, getting) => httpGet(url, { agents, ...getting }),
    destroy: agents.destroy,
  };
}

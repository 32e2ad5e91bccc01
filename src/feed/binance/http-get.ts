// One HTTP GET with limits: time, size of the answer. Knows nothing of the exchange; any status is an answer.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import type { DurationMs } from '../../core/market/time.ts';

/** Longest answer read, unpacked: 1,000 klines are 0.2 MB. */
export const BODY_BYTES_MAX = 16 * 1024 * 1024;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Connections kept open between requests, through a proxy where one is set. Close them with `destroy`. */
export interface Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
  /** For a WebSocket: only one by TLS goes through the proxy; undefined: straight, by a connection of its own. */
  forWebSocket(url: URL): https.Agent | undefined;
  destroy(): void;
}

/** `proxy`: as in HTTPS_PROXY, e.g. `http://10.0.0.1:3128`; used for TLS addresses. */
export function createAgents(proxy?: string): Agents {
  const plain = new http.Agent({ keepAlive: true });
  const secure = new https.Agent({
    keepAlive: true,
    ...(proxy === undefined ? {} : { proxyEnv: { HTTPS_PROXY: proxy } }),
  });
  return {
    http: plain,
    https: secure,
    forWebSocket: (url) => (proxy !== undefined && url.protocol === 'wss:' ? secure : undefined),
    destroy() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** @throws the network's error (with its `code`), an error named TimeoutError after `timeoutMs`, or the signal's reason. */
export async function httpGet(
  url: URL,
  options: {
    readonly agents: Agents;
    readonly timeoutMs: DurationMs;
    readonly signal: AbortSignal;
  },
): Promise<HttpAnswer> {
  const limit = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]);
  const isSecure = url.protocol === 'https:';
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = (isSecure ? https : http).get(url, {
    agent: isSecure ? options.agents.https : options.agents.http,
    headers: { accept: 'application/json', 'accept-encoding': 'gzip', 'user-agent': 'wickstream' },
    signal: limit,
  });
  request.once('response', resolve);
  request.on('error', reject);
  try {
    const response = await promise;
    const body = await readBody(response);
    return { status: response.statusCode ?? 0, headers: response.headers, body };
  } catch (error) {
    request.destroy();
    throw limit.aborted ? limit.reason : error;
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  let unpacked: IncomingMessage | ReturnType<typeof createGunzip> = response;
  if (response.headers['content-encoding'] === 'gzip') {
    const gunzip = createGunzip();
    response.once('error', (error) => gunzip.destroy(error));
    unpacked = response.pipe(gunzip);
  }
  let bytes = 0;
  unpacked.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) {
      response.destroy();
      unpacked.destroy(new Error(`Expected an answer of at most ${BODY_BYTES_MAX} bytes`));
    }
  });
  return text(unpacked);
}

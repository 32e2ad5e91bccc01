// Can the exchange be used from here? One REST call and one WebSocket, tried on every endpoint at once; says why not, so that the user can mend it.
import type { Clock, DurationMs } from '../../core/market/time.ts';
import { readRestAnswer, refusal } from './rest-answer.ts';
import { failureText } from './rest-request.ts';
import { networkTransport } from './transport.ts';

export interface Reachability {
  /** One REST and one WebSocket endpoint at least answer. */
  readonly reachable: boolean;
  /** One line: what failed and what would mend it; empty where nothing did. */
  readonly reason: string;
  readonly endpoints: readonly EndpointReach[];
}

export interface EndpointReach {
  readonly url: string;
  readonly problem: EndpointProblem | undefined;
  readonly detail: string;
}

/** `refused`: nothing listens · `forbidden`: 403, 451 or a login page · `failed`: anything else */
export type EndpointProblem = 'dns' | 'refused' | 'forbidden' | 'timeout' | 'failed';

export interface ReachableOptions {
  readonly restUrls: readonly string[];
  readonly webSocketUrls: readonly string[];
  readonly timeoutMs: DurationMs;
  readonly clock: Clock;
  readonly proxy?: string;
  readonly signal: AbortSignal;
}

/** Answers after `timeoutMs` at the latest, and as soon as one endpoint of each kind has answered. Never rejects. */
export async function reachable(options: ReachableOptions): Promise<Reachability> {
  const { restUrls, webSocketUrls, timeoutMs, clock } = options;
  const transport = networkTransport(options.proxy);
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const found: EndpointReach[] = [];

  async function tryRest(url: string): Promise<void> {
    const target = new URL('/api/v3/time', url);
    const answer = await transport.get(target, { timeoutMs, signal });
    const outcome = readRestAnswer(answer, target.host);
    if (outcome.type === 'data') return;
    throw new EndpointError(outcome.type === 'refused' ? 'forbidden' : 'failed', outcome.reason);
  }

  async function trySocket(url: string): Promise<void> {
    const target = new URL('/stream?streams=btcusdt@kline_1s', url);
    const socket = await transport.openSocket(target, { signal, onFrame() {} });
    socket.end();
  }

  async function note(url: string, attempt: Promise<void>): Promise<void> {
    try {
      await attempt;
      found.push({ url, problem: undefined, detail: '' });
    } catch (error) {
      found.push({ url, ...diagnose(error, new URL(url).host) });
      throw error;
    }
  }

  const answered = Promise.allSettled([
    Promise.any(restUrls.map((url) => note(url, tryRest(url)))),
    Promise.any(webSocketUrls.map((url) => note(url, trySocket(url)))),
  ]);
  const late = clock.sleep(timeoutMs, signal).then(() => undefined);
  const kinds = await Promise.race([answered, late]);
  const endpoints = [...found];
  over.abort();
  await answered;
  transport.destroy();
  const isReachable = kinds?.every(({ status }) => status === 'fulfilled') ?? false;
  if (isReachable) return { reachable: true, reason: '', endpoints };
  const silent = [...restUrls, ...webSocketUrls]
    .filter((url) => !endpoints.some((one) => one.url === url))
    .map((url) => timedOut(url, timeoutMs));
  const all = [...endpoints, ...silent];
  return { reachable: false, reason: summary(all), endpoints: all };
}

class EndpointError extends Error {
  override readonly name = 'EndpointError';
  readonly problem: EndpointProblem;

  constructor(problem: EndpointProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}

function timedOut(url: string, timeoutMs: DurationMs): EndpointReach {
  const detail = `${new URL(url).host}: no answer within ${timeoutMs / 1_000} s`;
  return { url, problem: 'timeout', detail };
}

function diagnose(error: unknown, host: string): { problem: EndpointProblem; detail: string } {
  if (error instanceof EndpointError) return { problem: error.problem, detail: error.message };
  const text = failureText(error);
  const status = /Unexpected server response: (\d{3})/.exec(text)?.[1];
  if (status === '403' || status === '451') {
    return { problem: 'forbidden', detail: refusal(Number(status), host) };
  }
  if (/ENOTFOUND|EAI_AGAIN/.test(text)) {
    return { problem: 'dns', detail: `${host}: the name is not known; is there a network?` };
  }
  if (/ECONNREFUSED/.test(text))
    return { problem: 'refused', detail: `${host}: refuses connections` };
  if (/ETIMEDOUT|no answer in time|handshake has timed out/.test(text)) {
    return { problem: 'timeout', detail: `${host}: no answer in time` };
  }
  return { problem: 'failed', detail: `${host}: ${text}` };
}

/** Each kind of problem once: with eight endpoints, seven say the same. */
function summary(endpoints: readonly EndpointReach[]): string {
  const kinds = new Map<EndpointProblem, string>();
  for (const { problem, detail } of endpoints) {
    if (problem !== undefined && !kinds.has(problem)) kinds.set(problem, detail);
  }
  return [...kinds.values()].join('; ');
}

// REST over HTTP: the request log, and the faults that delay, replace or swallow an answer.
// What is answered is decided in rest.ts.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Breach } from './connections.ts';
import type { Faults } from './faults.ts';
import type { Market } from './market.ts';
import { answerRest, type RestRequest, type RestResponse, requestWeight } from './rest.ts';
import type { RequestLimiter } from './rest-limits.ts';

/** Requests kept; the oldest are forgotten. */
const REQUESTS_MAX = 100_000;

export interface RequestRecord {
  /** Exchange time (ms). */
  readonly time: number;
  readonly path: string;
  readonly query: string;
  readonly weight: number;
  /** `undefined` while unanswered. */
  status: number | undefined;
}

export interface RestSide {
  readonly market: Market;
  readonly limiter: RequestLimiter;
  readonly faults: Faults;
  readonly requests: RequestRecord[];
  readonly onBreach: (type: Breach['type'], detail: string) => void;
  readonly now: () => number;
  readonly transportNow: () => number;
}

export interface TakenRequest {
  readonly record: RequestRecord;
  /** `'hang'`: never answered. */
  readonly answer: RestResponse | 'hang';
}

/** Answers one HTTP request, recording it; with faults it may answer late, wrongly or never. */
export function serveRest(
  request: IncomingMessage,
  response: ServerResponse,
  side: RestSide,
): void {
  let taken: TakenRequest;
  try {
    taken = takeRequest(new URL(request.url ?? '/', 'http://exchange'), side);
  } catch (error) {
    // A bug of the fake's own, or of a test's hook: said aloud, and no client left waiting.
    response.writeHead(500).end(`fake exchange: ${String(error)}`);
    throw error;
  }
  const { record, answer } = taken;
  if (answer === 'hang') return;
  const { status, headers, body } = answer;
  const send = () => {
    record.status = status;
    // The exchange's own time, where it is said at all: not that of this machine.
    response.sendDate = false;
    response.writeHead(status, headers).end(body);
  };
  if (side.faults.restDelayMs) setTimeout(send, side.faults.restDelayMs).unref();
  else send();
}

/** Records one request and decides its answer; sends nothing. */
export function takeRequest(url: URL, side: RestSide): TakenRequest {
  const wanted: RestRequest = { path: url.pathname, query: url.searchParams };
  const record: RequestRecord = {
    time: side.now(),
    path: url.pathname,
    query: url.search.slice(1),
    weight: requestWeight(wanted),
    status: undefined,
  };
  side.requests.push(record);
  if (side.requests.length > REQUESTS_MAX) side.requests.shift();
  return { record, answer: answerOf(wanted, side) };
}

function answerOf(request: RestRequest, side: RestSide): RestResponse | 'hang' {
  const faulty = side.faults.onRequest?.(request);
  if (faulty) return faulty;
  const now = side.now();
  const answer = answerRest(request, {
    market: side.market,
    limiter: side.limiter,
    now,
    asOf: now - (side.faults.restLagMs ?? 0),
    limiterNow: side.transportNow(),
  });
  if (answer.status === 429) side.onBreach('weight', request.path);
  if (answer.status === 418) side.onBreach('banned', request.path);
  return answer;
}

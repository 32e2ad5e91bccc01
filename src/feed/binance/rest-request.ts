// Asks the exchange by REST until it has an answer: endpoints in turn, back-off, Retry-After, the weight budget. Refuses nothing but
// wrong requests and endpoints that all refuse us.
import {
  type Clock,
  type DurationMs,
  EPOCH_MS_MAX,
  type EpochMs,
  epochMs,
} from '../../core/market/time.ts';
import { FeedError } from '../market-feed.ts';
import type { HttpAnswer } from './http-get.ts';
import { createRequestGate } from './request-gate.ts';
import { type RestOutcome, readRestAnswer } from './rest-answer.ts';
import type { Transport } from './transport.ts';
import type { Priority, WeightBudget } from './weight-budget.ts';

export const REST_TIMEOUT_MS: DurationMs = 10_000;
export const REST_RETRY_MS_MIN: DurationMs = 250;
export const REST_RETRY_MS_MAX: DurationMs = 15_000;

export interface RestRequest {
  /** e.g. `/api/v3/klines`. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | number | undefined>>;
  readonly weight: number;
  readonly priority: Priority;
  readonly signal: AbortSignal;
}

/** The request is wrong and would be wrong again. */
export class BadRequestError extends Error {
  override readonly name = 'BadRequestError';
  /** The exchange's, e.g. −1121 for an unknown symbol. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface RestAnswer {
  readonly value: unknown;
  /** The exchange's time as it answered (HTTP `Date`, whole seconds, rounded down); undefined where it did not say. */
  readonly answeredAt: EpochMs | undefined;
  /** When the answered try was sent, and how long it took, ms. */
  readonly sentAt: number;
  readonly tookMs: DurationMs;
}

export interface RestRequester {
  readonly budget: WeightBudget;
  /**
   * The answer, however long it takes.
   * @throws BadRequestError; FeedError `refused` where every endpoint refuses us; the signal's reason.
   */
  ask(request: RestRequest): Promise<RestAnswer>;
}

export interface RestRequesterOptions {
  /** Base URLs without a path, the first is preferred. */
  readonly restUrls: readonly string[];
  readonly transport: Pick<Transport, 'get'>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Told each time a try failed and another follows. */
  readonly onTrouble: (reason: string) => void;
  /** Ends all. */
  readonly signal: AbortSignal;
}

export function createRestRequester(options: RestRequesterOptions): RestRequester {
  const { transport, clock, random, onTrouble } = options;
  // Named twice, an endpoint would never have refused us as often as there are endpoints.
  const restUrls = [...new Set(options.restUrls)];
  const gate = createRequestGate(clock, options.signal);
  /** The endpoint in use; moves on when it fails. */
  let preferred = 0;

  async function once(request: RestRequest, base: string): Promise<[RestOutcome, RestAnswer]> {
    const leave = await gate.enter(request.weight, request.priority, request.signal);
    const sentAt = clock.now();
    try {
      const url = requestUrl(base, request);
      const { signal } = request;
      const answer = await transport.get(url, { timeoutMs: REST_TIMEOUT_MS, signal });
      const tookMs = clock.now() - sentAt;
      noteWeight(answer);
      const outcome = readRestAnswer(answer, url.host);
      if (outcome.type === 'wait') gate.blockFor(outcome.ms);
      const value = outcome.type === 'data' ? outcome.value : undefined;
      return [outcome, { value, answeredAt: answeredAt(answer), sentAt, tookMs }];
    } catch (error) {
      if (request.signal.aborted) throw error;
      const reason = `${new URL(base).host}: ${failureText(error)}`;
      return [
        { type: 'failed', reason },
        { value: undefined, answeredAt: undefined, sentAt, tookMs: 0 },
      ];
    } finally {
      leave();
    }
  }

  function noteWeight({ headers }: HttpAnswer): void {
    const used = Number(headers['x-mbx-used-weight-1m']);
    if (Number.isFinite(used)) gate.budget.reported(used, clock.now());
  }

  return {
    budget: gate.budget,
    async ask(request) {
      const refusals = new Map<string, string>();
      for (let attempt = 0; ; attempt++) {
        const used = preferred;
        const base = restUrls[used % restUrls.length] ?? '';
        // Of several that fail there at once only the first moves on: the others would go past the next one.
        const moveOn = () => {
          if (preferred === used) preferred += 1;
        };
        const [outcome, answer] = await once(request, base);
        switch (outcome.type) {
          case 'data':
            return answer;
          case 'bad-request':
            throw new BadRequestError(outcome.code, `${outcome.reason} (${request.path})`);
          case 'refused':
            refusals.set(base, outcome.reason);
            if (refusals.size === restUrls.length) throw refusedByAll(refusals);
            moveOn();
            break;
          case 'failed':
            moveOn();
            break;
          case 'wait':
            break;
          default:
            outcome satisfies never;
        }
        onTrouble(outcome.reason);
        // After Retry-After the gate itself waits.
        if (outcome.type === 'failed') await clock.sleep(retryMs(attempt, random), request.signal);
        request.signal.throwIfAborted();
      }
    },
  };
}

function answeredAt({ headers }: HttpAnswer): EpochMs | undefined {
  const time = Date.parse(headers.date ?? '');
  return time >= 0 && time <= EPOCH_MS_MAX ? epochMs(time) : undefined;
}

/** Doubles from `REST_RETRY_MS_MIN` to `REST_RETRY_MS_MAX`, half of it at random. */
export function retryMs(attempt: number, random: () => number): DurationMs {
  const full = Math.min(REST_RETRY_MS_MIN * 2 ** Math.min(attempt, 16), REST_RETRY_MS_MAX);
  return Math.round(full * (0.5 + random() / 2));
}

function requestUrl(base: string, { path, query }: RestRequest): URL {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

function refusedByAll(refusals: ReadonlyMap<string, string>): FeedError {
  return new FeedError('refused', [...refusals.values()].join('; '));
}

/** The innermost cause in few words: `connect ECONNREFUSED 127.0.0.1:1`. */
export function failureText(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0)
    return failureText(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.name === 'TimeoutError' ? 'no answer in time' : error.message;
}

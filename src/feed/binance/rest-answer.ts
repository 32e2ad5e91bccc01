// What an answer of the exchange's REST means for the caller: data, wait, try again, or give up. Pure.
import type { DurationMs } from '../../core/market/time.ts';
import type { HttpAnswer } from './http-get.ts';

export type RestOutcome =
  | { readonly type: 'data'; readonly value: unknown }
  /** 429 or 418: no request at all for this long. */
  | { readonly type: 'wait'; readonly ms: DurationMs; readonly reason: string }
  /** 5xx and its like: another try may help. */
  | { readonly type: 'failed'; readonly reason: string }
  /** This endpoint will not serve us. */
  | { readonly type: 'refused'; readonly reason: string }
  /** The request itself is wrong; `code` is the exchange's. */
  | { readonly type: 'bad-request'; readonly code: number; readonly reason: string };

/** Where 429 or 418 come without Retry-After. */
const RETRY_AFTER_MS_DEFAULT: DurationMs = 60_000;
const RETRY_AFTER_MS_MAX: DurationMs = 3 * 86_400_000;

export function readRestAnswer({ status, headers, body }: HttpAnswer, host: string): RestOutcome {
  if (status === 429 || status === 418) {
    const seconds = Number(headers['retry-after']);
    const ms = seconds > 0 ? Math.min(seconds * 1_000, RETRY_AFTER_MS_MAX) : RETRY_AFTER_MS_DEFAULT;
    const what = status === 418 ? 'has banned this address' : 'is over its request limit';
    return { type: 'wait', ms, reason: `${host} ${what}; waiting ${Math.ceil(ms / 1_000)} s` };
  }
  if (status === 451 || status === 403) return { type: 'refused', reason: refusal(status, host) };
  if (status >= 500) return { type: 'failed', reason: `${host} answered HTTP ${status}` };
  const json = parse(body);
  if (json === undefined) {
    const start = body.slice(0, 60).replaceAll(/\s+/g, ' ');
    const reason = `Expected JSON from ${host}, was "${start}" (HTTP ${status}); is a proxy or login page in between?`;
    return { type: 'refused', reason };
  }
  if (status === 200) return { type: 'data', value: json.value };
  const { code, msg } = errorFields(json.value);
  return { type: 'bad-request', code, reason: `${host} answered HTTP ${status}: ${code} ${msg}` };
}

/** One line for the user: what it is and what would mend it. */
export function refusal(status: number, host: string): string {
  const what =
    status === 451
      ? 'does not serve this country (HTTP 451)'
      : `refuses this address (HTTP ${status})`;
  return `${host} ${what}; try the market-data-only endpoints, --binance-rest-url https://data-api.binance.vision --binance-ws-url wss://data-stream.binance.vision`;
}

function parse(body: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body) };
  } catch {
    return undefined;
  }
}

function errorFields(value: unknown): { code: number; msg: string } {
  if (typeof value !== 'object' || value === null) return { code: 0, msg: '' };
  const code = 'code' in value && typeof value.code === 'number' ? value.code : 0;
  const msg = 'msg' in value && typeof value.msg === 'string' ? value.msg : '';
  return { code, msg };
}

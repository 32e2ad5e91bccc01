// A question to the server's API, within a time limit. Throws an Error whose message can be shown to the reader.
import { isRecord, type Json } from './parse-message.ts';

export const ASK_TIMEOUT_MS = 8_000;

export async function askServer(url: URL, init: RequestInit = {}): Promise<Response> {
  const limit = AbortSignal.timeout(ASK_TIMEOUT_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
  return fetch(url, { ...init, signal });
}

export function postJson(body: object): RequestInit {
  const headers = { 'content-type': 'application/json' };
  return { method: 'POST', headers, body: JSON.stringify(body) };
}

/** @throws Error with the server's own words where it refuses. */
export async function bodyOf(response: Response): Promise<Json> {
  const answer = parsedJson(await response.text());
  if (response.ok) return isRecord(answer) ? answer : {};
  const error = isRecord(answer) ? answer['error'] : undefined;
  const message = isRecord(error) ? error['message'] : undefined;
  throw new Error(typeof message === 'string' ? message : `the server answered ${response.status}`);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // an empty answer, or a proxy's page: the status says enough
  }
}

// GET /api/v1/candles: a page of older or newer candles. Throws an Error whose message can be shown to the reader.
import type { Interval } from '../../src/core/market/interval.ts';
import type { CandlePage } from '../../src/protocol/browser.ts';
import { parseCandlePage } from '../connection/parse-message.ts';

export const PAGE_TIMEOUT_MS = 10_000;

/** Open time, ms: the page ends before it, or begins after it, across any gap. */
export type PageEdge = { readonly before: number } | { readonly after: number };

export type PageRequest = PageEdge & {
  readonly symbol: string;
  readonly interval: Interval;
  readonly limit: number;
};

/** @throws Error where the server refuses, is silent for `PAGE_TIMEOUT_MS` or answers something else. */
export async function fetchCandlePage(
  base: string,
  request: PageRequest,
  signal: AbortSignal,
): Promise<CandlePage> {
  const url = new URL('api/v1/candles', base);
  for (const [name, value] of Object.entries(request)) url.searchParams.set(name, String(value));
  const response = await fetch(url, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(PAGE_TIMEOUT_MS)]),
  });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const page = parseCandlePage(await response.json());
  if (page === undefined) throw new Error('the server answered something else than candles');
  return page;
}

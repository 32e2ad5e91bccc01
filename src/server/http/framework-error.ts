// What the router refuses before any route or hook has it (a path that cannot be decoded), in the shape of the API that was asked.
import type { FastifyError } from 'fastify';
import { binanceErrorBody, binanceErrors } from '../binance-api/binance-error.ts';
import { type ErrorBody, errorBody } from './error-body.ts';

export interface FrameworkErrorAnswer {
  readonly status: number;
  readonly body: ErrorBody | ReturnType<typeof binanceErrorBody>;
}

/** Pure. Under `/api/v3` such a path is one more that is not offered there. */
export function frameworkErrorAnswer(
  error: FastifyError,
  { method, url }: { readonly method: string; readonly url: string },
): FrameworkErrorAnswer {
  const [path = ''] = url.split('?', 1);
  if (path.startsWith('/api/v3/')) {
    const told = binanceErrors.notOffered(`${method} ${path}`);
    return { status: told.statusCode, body: binanceErrorBody(told) };
  }
  const status = error.statusCode ?? 500;
  if (error.code !== 'FST_ERR_BAD_URL') {
    return { status, body: errorBody(error.code, error.message) };
  }
  const message = `Expected a percent-encoded UTF-8 path, was ${path}`;
  return { status, body: errorBody('bad-path', message) };
}

// Query parameters of our own API: the kinds that several routes take, and the error that names a bad one.
import { z } from 'zod';
import { EPOCH_MS_MAX, epochMs } from '../../core/market/time.ts';
import { HttpError } from './error-body.ts';

export const whole = z
  .string()
  .regex(/^\d{1,15}$/, 'expected a whole number')
  .transform(Number);

export const timeParameter = whole
  .pipe(
    z.number().max(EPOCH_MS_MAX, {
      error: ({ input }) =>
        `expected milliseconds since 1970 up to ${EPOCH_MS_MAX}, the end of the year 9999; was ${input}`,
    }),
  )
  .transform(epochMs);

/** @throws HttpError naming the parameter and what was expected. */
export function parseQuery<S extends z.ZodType>(schema: S, query: unknown): z.output<S> {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const name = issue?.path.join('.') ?? '';
  throw new HttpError(400, 'bad-parameter', `Parameter "${name}": ${issue?.message}`);
}

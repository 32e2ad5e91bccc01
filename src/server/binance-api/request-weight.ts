// The exchange's request weight: counted by address and minute, so that clients' own limiters have what they look for. Refuses with 429.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Clock, MINUTE_MS } from '../../core/market/time.ts';
import { binanceErrors } from './binance-error.ts';

/** A minute, as the exchange's REQUEST_WEIGHT. */
export const REQUEST_WEIGHT_MAX = 6_000;
/** Addresses counted one by one; those beyond share one count. */
export const WEIGHT_ADDRESSES_MAX = 10_000;

const SHARED = 'all others';

/** Makes route hooks: each adds its route's weight to the caller's count, or refuses. */
export function requestWeight(clock: Clock) {
  let minute = -1;
  let used = new Map<string, number>();

  const add = (address: string, weight: number): number => {
    const now = Math.floor(clock.now() / MINUTE_MS);
    if (now !== minute) {
      minute = now;
      used = new Map();
    }
    const key = used.has(address) || used.size < WEIGHT_ADDRESSES_MAX ? address : SHARED;
    const total = (used.get(key) ?? 0) + weight;
    used.set(key, total);
    return total;
  };

  return (weight: number) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      const total = add(request.ip, weight);
      reply.header('x-mbx-used-weight', total).header('x-mbx-used-weight-1m', total);
      if (total <= REQUEST_WEIGHT_MAX) return;
      reply.header('retry-after', Math.ceil((MINUTE_MS - (clock.now() % MINUTE_MS)) / 1_000));
      throw binanceErrors.tooMuchWeight(REQUEST_WEIGHT_MAX);
    };
}

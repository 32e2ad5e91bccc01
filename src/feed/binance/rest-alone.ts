// REST for a command that streams nothing: the transport and the requester behind it, closed together. Asks nothing by itself.
import type { Clock } from '../../core/market/time.ts';
import { createRest, type Rest } from './rest.ts';
import { createRestRequester } from './rest-request.ts';
import { networkTransport, type Transport } from './transport.ts';

export interface RestAloneOptions {
  /** Base URLs without a path, in order of preference. */
  readonly restUrls: readonly string[];
  readonly clock: Clock;
  /** In [0, 1): jitter. */
  readonly random: () => number;
  readonly proxy?: string;
  /** Default: the network. */
  readonly transport?: Transport;
  /** Told each time a try failed and another follows. */
  readonly onTrouble: (reason: string) => void;
  readonly signal: AbortSignal;
}

export function openRestAlone(options: RestAloneOptions): Disposable & { readonly rest: Rest } {
  const transport = options.transport ?? networkTransport(options.proxy);
  const rest = createRest(createRestRequester({ ...options, transport }), options.clock);
  return { rest, [Symbol.dispose]: () => transport.destroy() };
}

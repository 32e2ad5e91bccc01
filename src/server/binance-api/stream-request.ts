// The control messages of a stream connection: SUBSCRIBE and its kin, read and refused as the exchange does.
import { z } from 'zod';

const METHODS = [
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'LIST_SUBSCRIPTIONS',
  'SET_PROPERTY',
  'GET_PROPERTY',
] as const;

export type RequestId = number | string | null;

export type StreamRequest =
  | {
      readonly method: 'SUBSCRIBE' | 'UNSUBSCRIBE';
      readonly streams: readonly string[];
      readonly id: RequestId;
    }
  | { readonly method: 'LIST_SUBSCRIPTIONS'; readonly id: RequestId }
  | { readonly method: 'SET_PROPERTY'; readonly combined: boolean; readonly id: RequestId }
  | { readonly method: 'GET_PROPERTY'; readonly id: RequestId };

/** 0: unknown property, 1: wrong type of value, 2: invalid request, 3: invalid JSON. */
export interface StreamFault {
  readonly code: 0 | 1 | 2 | 3;
  readonly msg: string;
  readonly id?: RequestId;
}

const idSchema = z.union([z.number().int(), z.string().regex(/^[A-Za-z0-9]{0,36}$/), z.null()]);
const requestSchema = z.object({
  method: z.string().optional(),
  params: z.array(z.unknown()).optional(),
  id: z.unknown().optional(),
});

/** @see binance-spot-api-docs, web-socket-streams.md, "Error Messages" */
export function parseStreamRequest(text: string): StreamRequest | StreamFault {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { code: 3, msg: 'Invalid JSON: expected value at line 1 column 1' };
  }
  const shape = requestSchema.safeParse(value);
  if (!shape.success) return invalid(`invalid ${shape.error.issues[0]?.path.join('.') || 'type'}`);
  const { method, params = [] } = shape.data;
  if (method === undefined) {
    return invalid(`missing field \`method\` at line 1 column ${text.length}`);
  }
  const known = METHODS.find((name) => name === method);
  if (known === undefined) {
    const names = METHODS.map((name) => `\`${name}\``).join(', ');
    return invalid(`unknown variant \`${method.slice(0, 40)}\`, expected one of ${names}`);
  }
  const id = idSchema.safeParse(shape.data.id);
  if (!id.success) return invalid('request ID must be an unsigned integer');
  return requestOf(known, params, id.data);
}

function requestOf(
  method: (typeof METHODS)[number],
  params: readonly unknown[],
  id: RequestId,
): StreamRequest | StreamFault {
  switch (method) {
    case 'SUBSCRIBE':
    case 'UNSUBSCRIBE': {
      const streams = z.array(z.string()).safeParse(params);
      if (streams.success) return { method, streams: streams.data, id };
      return invalid('stream name must be a string', id);
    }
    case 'LIST_SUBSCRIPTIONS':
      return params.length === 0 ? { method, id } : invalid('too many parameters', id);
    default: {
      const count = method === 'SET_PROPERTY' ? 2 : 1;
      const fault = propertyFault(params, count);
      if (fault !== undefined) return { ...fault, id };
      if (method === 'GET_PROPERTY') return { method, id };
      const [, combined] = params;
      if (typeof combined === 'boolean') return { method, combined, id };
      return { code: 1, msg: 'Invalid value type: expected Boolean', id };
    }
  }
}

function propertyFault(params: readonly unknown[], count: number): StreamFault | undefined {
  if (params.length > count) return invalid('too many parameters');
  if (typeof params[0] !== 'string') return invalid('property name must be a string');
  return params[0] === 'combined' ? undefined : { code: 0, msg: 'Unknown property' };
}

function invalid(what: string, id?: RequestId): StreamFault {
  return { code: 2, msg: `Invalid request: ${what}`, ...(id === undefined ? {} : { id }) };
}

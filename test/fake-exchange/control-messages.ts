// SUBSCRIBE and its siblings: from a client's text to the reply and the change. Pure.

export type ControlResult =
  | { readonly type: 'subscribe' | 'unsubscribe'; readonly streams: readonly string[] }
  | { readonly type: 'set-combined'; readonly combined: boolean }
  | { readonly type: 'none' };

export interface ControlAnswer {
  readonly reply: string;
  readonly change: ControlResult;
}

export interface ControlState {
  readonly streams: ReadonlySet<string>;
  readonly combined: boolean;
}

const METHODS = ['SUBSCRIBE', 'UNSUBSCRIBE', 'LIST_SUBSCRIPTIONS', 'SET_PROPERTY', 'GET_PROPERTY'];

const ID_LENGTH_MAX = 36;

type RequestId = number | string | null;

/** Answers one text frame of a client. Bad input is an error reply, never a throw. */
export function answerControl(text: string, state: ControlState): ControlAnswer {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return failure(3, 'Invalid JSON: expected value at line 1 column 1', null);
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    return failure(2, 'Invalid request: expected a JSON object', null);
  }
  const { method, params, id } = message as Record<string, unknown>;
  if (!isRequestId(id)) {
    const legal = 'an integer, a string of at most 36 letters and digits, or null';
    return failure(2, `Invalid request: request ID must be ${legal}`, null);
  }
  const requestId = id ?? null;
  if (method === undefined) {
    return failure(
      2,
      `Invalid request: missing field \`method\` at line 1 column ${text.length}`,
      requestId,
    );
  }
  return answerMethod(method, params, requestId, state);
}

function answerMethod(
  method: unknown,
  params: unknown,
  id: RequestId,
  state: ControlState,
): ControlAnswer {
  switch (method) {
    case 'SUBSCRIBE':
    case 'UNSUBSCRIBE':
      return answerSubscribe(method === 'SUBSCRIBE' ? 'subscribe' : 'unsubscribe', params, id);
    case 'LIST_SUBSCRIPTIONS':
      return success([...state.streams], id);
    case 'SET_PROPERTY':
      return answerSetProperty(params, id);
    case 'GET_PROPERTY':
      return isList(params) && params[0] === 'combined'
        ? success(state.combined, id)
        : failure(0, 'Unknown property', id);
    default: {
      const expected = METHODS.map((name) => `\`${name}\``).join(', ');
      return failure(
        2,
        `Invalid request: unknown variant \`${String(method)}\`, expected one of ${expected}`,
        id,
      );
    }
  }
}

function answerSubscribe(
  type: 'subscribe' | 'unsubscribe',
  params: unknown,
  id: RequestId,
): ControlAnswer {
  if (!isList(params) || !params.every((name) => typeof name === 'string')) {
    return failure(2, 'Invalid request: params must be an array of stream names', id);
  }
  return success(null, id, { type, streams: params });
}

function answerSetProperty(params: unknown, id: RequestId): ControlAnswer {
  if (!isList(params) || typeof params[0] !== 'string') {
    return failure(2, 'Invalid request: property name must be a string', id);
  }
  if (params.length > 2) return failure(2, 'Invalid request: too many parameters', id);
  if (params[0] !== 'combined') return failure(0, 'Unknown property', id);
  if (typeof params[1] !== 'boolean') {
    return failure(1, 'Invalid value type: expected Boolean', id);
  }
  return success(null, id, { type: 'set-combined', combined: params[1] });
}

function success(
  result: unknown,
  id: RequestId,
  change: ControlResult = { type: 'none' },
): ControlAnswer {
  return { reply: JSON.stringify({ result, id }), change };
}

function failure(code: number, message: string, id: RequestId): ControlAnswer {
  return { reply: JSON.stringify({ code, msg: message, id }), change: { type: 'none' } };
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

function isRequestId(id: unknown): id is RequestId | undefined {
  if (id === undefined || id === null) return true;
  if (typeof id === 'number') return Number.isInteger(id);
  return typeof id === 'string' && id.length <= ID_LENGTH_MAX && /^[A-Za-z0-9_-]*$/.test(id);
}

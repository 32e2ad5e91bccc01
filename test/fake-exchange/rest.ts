// The REST side of the exchange as a function of the market: paths, parameters, weights, error
// bodies. Opens no socket. Refuses what the public market-data host does not serve.
import { type Interval, isInterval } from './calendar.ts';
import { exchangeInfo } from './exchange-info.ts';
import type { Market } from './market.ts';
import type { RequestLimiter, Verdict } from './rest-limits.ts';
import type { AggTrade, TruthCandle } from './truth.ts';

export interface RestRequest {
  /** Without the query, e.g. `/api/v3/klines`. */
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface RestResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RestContext {
  readonly market: Market;
  /** Exchange time (ms): what `time` answers. */
  readonly now: number;
  /** Data is answered as of this time (ms): earlier than `now` while REST lags. */
  readonly asOf: number;
  readonly limiter: RequestLimiter;
  /** The limiter's own time (ms). */
  readonly limiterNow: number;
}

interface Endpoint {
  readonly weight: number;
  readonly parameters: readonly string[];
  answer(parameters: Parameters, context: RestContext): unknown;
}

/** An answer that is an error of the exchange's: HTTP 400 with its code. */
class RefusedRequest extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const LIMIT_DEFAULT = 500;
const LIMIT_MAX = 1_000;

const klines: Endpoint = {
  weight: 2,
  parameters: ['symbol', 'interval', 'startTime', 'endTime', 'timeZone', 'limit'],
  answer(parameters, { market, asOf }) {
    const symbol = parameters.symbol(market);
    const interval = parameters.interval();
    parameters.onlyUtc();
    return market.candles(symbol, interval, parameters.range(), asOf).map(klineRow);
  },
};

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/api/v3/ping': { weight: 1, parameters: [], answer: () => ({}) },
  '/api/v3/time': { weight: 1, parameters: [], answer: (_, { now }) => ({ serverTime: now }) },
  '/api/v3/exchangeInfo': {
    weight: 20,
    parameters: ['symbol', 'symbols', 'permissions', 'showPermissionSets', 'symbolStatus'],
    answer: (parameters, { market, now }) =>
      exchangeInfo(market, parameters.symbolNames(market), now),
  },
  '/api/v3/klines': klines,
  '/api/v3/uiKlines': klines,
  '/api/v3/aggTrades': {
    weight: 4,
    parameters: ['symbol', 'fromId', 'startTime', 'endTime', 'limit'],
    answer(parameters, { market, asOf }) {
      const symbol = parameters.symbol(market);
      const fromId = parameters.integer('fromId');
      const range = parameters.range();
      if (fromId !== undefined && (range.startTime ?? range.endTime) !== undefined) {
        throw new RefusedRequest(-1128, 'Combination of optional parameters invalid.');
      }
      return market.trades(symbol, { ...range, fromId }, asOf).map(aggTradeRow);
    },
  },
};

/** The weight the exchange charges for a request; 1 for what it does not know. */
export function requestWeight({ path }: RestRequest): number {
  return ENDPOINTS[path]?.weight ?? 1;
}

/** Answers one GET. Never throws for a bad request: that is an answer. */
export function answerRest(request: RestRequest, context: RestContext): RestResponse {
  const verdict = context.limiter.take(requestWeight(request), context.limiterNow);
  if (verdict.type !== 'allowed') return refusal(verdict);
  const endpoint = ENDPOINTS[request.path];
  if (endpoint === undefined) return notFound();
  const headers = { ...jsonHeaders(verdict), Date: new Date(context.now).toUTCString() };
  try {
    const parameters = createParameters(request.query, endpoint.parameters);
    return { status: 200, headers, body: JSON.stringify(endpoint.answer(parameters, context)) };
  } catch (error) {
    if (!(error instanceof RefusedRequest)) throw error;
    return { status: 400, headers, body: errorBody(error.code, error.message) };
  }
}

/** `{"code":…,"msg":…}`, as every error of the API. */
export function errorBody(code: number, message: string): string {
  return JSON.stringify({ code, msg: message });
}

/** A kline as REST writes it: 12 fields, the last one unused. */
export function klineRow(candle: TruthCandle) {
  return [
    candle.openTime,
    candle.open,
    candle.high,
    candle.low,
    candle.close,
    candle.volume,
    candle.closeTime,
    candle.quoteVolume,
    candle.trades,
    candle.takerBuyVolume,
    candle.takerBuyQuoteVolume,
    '0',
  ];
}

function aggTradeRow({ a, p, q, f, l, T, m }: AggTrade) {
  return { a, p, q, f, l, T, m, M: true };
}

function jsonHeaders({ used }: Verdict): Record<string, string> {
  return {
    'Content-Type': 'application/json;charset=UTF-8',
    'X-MBX-USED-WEIGHT': String(used),
    'X-MBX-USED-WEIGHT-1M': String(used),
  };
}

function refusal(verdict: Exclude<Verdict, { type: 'allowed' }>): RestResponse {
  const headers = { ...jsonHeaders(verdict), 'Retry-After': String(verdict.retryAfterSeconds) };
  const streams = 'Please use WebSocket Streams for live updates';
  if (verdict.type === 'too-many') {
    const message =
      'Too much request weight used; current limit is 6000 request weight per 1 MINUTE. ' +
      `${streams} to avoid polling the API.`;
    return { status: 429, headers, body: errorBody(-1003, message) };
  }
  const message = `Way too much request weight used; IP banned until ${verdict.until}. ${streams} to avoid bans.`;
  return { status: 418, headers, body: errorBody(-1003, message) };
}

function notFound(): RestResponse {
  const body =
    '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n' +
    '<center><h1>404 Not Found</h1></center>\r\n</body>\r\n</html>\r\n';
  return { status: 404, headers: { 'Content-Type': 'text/html' }, body };
}

interface Parameters {
  symbol(market: Market): string;
  symbolNames(market: Market): readonly string[] | undefined;
  interval(): Interval;
  integer(name: string): number | undefined;
  range(): { startTime: number | undefined; endTime: number | undefined; limit: number };
  onlyUtc(): void;
}

const SYMBOL_RANGE = '^[A-Z0-9-_.]{1,20}$';

function createParameters(query: URLSearchParams, allowed: readonly string[]): Parameters {
  const names = [...query.keys()];
  const read = names.filter((name) => allowed.includes(name)).length;
  if (read !== names.length) {
    const message = `Not all sent parameters were read; read '${read}' parameter(s) but was sent '${names.length}'.`;
    throw new RefusedRequest(-1104, message);
  }

  function text(name: string): string | undefined {
    const value = query.get(name);
    if (value === '') throw new RefusedRequest(-1105, `Parameter '${name}' was empty.`);
    return value ?? undefined;
  }
  function mandatory(name: string): string {
    const value = text(name);
    if (value !== undefined) return value;
    const message = `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`;
    throw new RefusedRequest(-1102, message);
  }
  function knownSymbol(name: string, market: Market): string {
    if (!/^[\p{L}\p{N}\-_.]{1,20}$/u.test(name)) throw illegal('symbol', SYMBOL_RANGE);
    if (!market.find(name)) throw new RefusedRequest(-1121, 'Invalid symbol.');
    return name;
  }
  function integer(name: string): number | undefined {
    const value = text(name);
    if (value === undefined) return undefined;
    if (!/^[0-9]{1,20}$/.test(value)) throw illegal(name, '^[0-9]{1,20}$');
    return Number(value);
  }
  function time(name: string): number | undefined {
    const value = integer(name);
    // Sixteen digits are microseconds.
    return value !== undefined && value >= 1e15 ? Math.floor(value / 1_000) : value;
  }

  return {
    symbol: (market) => knownSymbol(mandatory('symbol'), market),
    symbolNames(market) {
      const [one, many] = [text('symbol'), text('symbols')];
      if (one !== undefined && many !== undefined) {
        throw new RefusedRequest(-1128, 'Combination of optional parameters invalid.');
      }
      if (one !== undefined) return [knownSymbol(one, market)];
      return many === undefined
        ? undefined
        : symbolList(many).map((name) => knownSymbol(name, market));
    },
    interval() {
      const value = mandatory('interval');
      if (!isInterval(value)) throw new RefusedRequest(-1120, 'Invalid interval.');
      return value;
    },
    integer,
    range() {
      const limit = integer('limit') ?? LIMIT_DEFAULT;
      if (limit === 0) {
        throw new RefusedRequest(-1130, "Data sent for parameter 'limit' is not valid.");
      }
      return {
        startTime: time('startTime'),
        endTime: time('endTime'),
        limit: Math.min(limit, LIMIT_MAX),
      };
    },
    onlyUtc() {
      if (!['0', '00:00', '+00:00', undefined].includes(text('timeZone'))) {
        throw new RefusedRequest(-1130, "Data sent for parameter 'timeZone' is not valid.");
      }
    },
  };
}

function illegal(name: string, range: string): RefusedRequest {
  const message = `Illegal characters found in parameter '${name}'; legal range is '${range}'.`;
  return new RefusedRequest(-1100, message);
}

/** `["BTCUSDT","ETHUSDT"]`; anything else is refused. */
function symbolList(text: string): string[] {
  const legal = '^\\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\\]$';
  if (!/^\["[^",]{1,20}"(,"[^",]{1,20}")*\]$/.test(text)) throw illegal('symbols', legal);
  return JSON.parse(text) as string[];
}

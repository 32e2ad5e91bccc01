// Errors as the exchange words them: HTTP status, code and text. Only those a reader of market data can meet.

/** Answered as `{"code":…,"msg":…}`. @see binance-spot-api-docs, errors.md */
export class BinanceError extends Error {
  override readonly name = 'BinanceError';
  readonly code: number;
  readonly statusCode: number;

  constructor(code: number, message: string, statusCode = 400) {
    super(message);
    this.code = code;
    this.statusCode = statusCode;
  }
}

export function binanceErrorBody(error: BinanceError): { code: number; msg: string } {
  return { code: error.code, msg: error.message };
}

export const binanceErrors = {
  tooMuchWeight: (limit: number) =>
    new BinanceError(
      -1003,
      `Too much request weight used; current limit is ${limit} request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.`,
      429,
    ),
  unknown: () =>
    new BinanceError(-1000, 'An unknown error occurred while processing the request.', 500),
  notOffered: (what: string) =>
    new BinanceError(-1020, `This operation is not supported: ${what}`, 404),
  illegalCharacters: (parameter: string, range: string) =>
    new BinanceError(
      -1100,
      `Illegal characters found in parameter '${parameter}'; legal range is '${range}'.`,
    ),
  tooManyParameters: (received: number) =>
    new BinanceError(-1101, `Too many parameters; expected '0' and received '${received}'.`),
  duplicateParameters: () => new BinanceError(-1101, 'Duplicate values for a parameter detected.'),
  missing: (parameter: string) =>
    new BinanceError(
      -1102,
      `Mandatory parameter '${parameter}' was not sent, was empty/null, or malformed.`,
    ),
  unread: (read: number, sent: number) =>
    new BinanceError(
      -1104,
      `Not all sent parameters were read; read '${read}' parameter(s) but was sent '${sent}'.`,
    ),
  empty: (parameter: string) => new BinanceError(-1105, `Parameter '${parameter}' was empty.`),
  badInterval: () => new BinanceError(-1120, 'Invalid interval.'),
  badSymbol: () => new BinanceError(-1121, 'Invalid symbol.'),
  badCombination: () => new BinanceError(-1128, 'Combination of optional parameters invalid.'),
  invalid: (parameter: string, why = '') =>
    new BinanceError(-1130, `Data sent for parameter '${parameter}' is not valid.${why}`),
  badTimeUnit: () =>
    new BinanceError(
      -1194,
      'Invalid value for time unit; expected either MICROSECOND or MILLISECOND. (Only MILLISECOND is offered here.)',
    ),
};

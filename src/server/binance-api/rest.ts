// `GET /api/v3/…` as the exchange answers it, from our candles and newest trades.
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { readCandles } from '../candle-window.ts';
import { isNotKept, type NotKept, readTrades } from '../trade-window.ts';
import { BinanceError, binanceErrorBody, binanceErrors } from './binance-error.ts';
import { aggTradeEntry, klineRow } from './binance-text.ts';
import { exchangeInfo } from './exchange-info.ts';
import { BinanceQuery, knownSymbol } from './query.ts';
import type { BinanceApiOptions } from './register.ts';
import { requestWeight } from './request-weight.ts';

/** Weights of the exchange. */
const WEIGHT = { ping: 1, time: 1, exchangeInfo: 20, klines: 2, aggTrades: 4 } as const;
const JSON_TYPE = 'application/json;charset=UTF-8';
const SYMBOL_LIST = '^\\[("[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}){0,1}\\]$';

export async function registerRest(
  app: FastifyInstance,
  options: BinanceApiOptions,
): Promise<void> {
  const weigh = requestWeight(options.clock);
  const get = (
    path: string,
    weight: number,
    answer: (query: BinanceQuery) => Promise<unknown> | unknown,
  ): void => {
    app.get(path, { onRequest: weigh(weight) }, async (request, reply) => {
      if (/^microsecond$/i.test(String(request.headers['x-mbx-time-unit'] ?? ''))) {
        throw binanceErrors.badTimeUnit();
      }
      return sendJson(reply, await answer(new BinanceQuery(request.query)));
    });
  };

  get('/ping', WEIGHT.ping, (query) => {
    query.done();
    return {};
  });
  get('/time', WEIGHT.time, (query) => {
    query.done();
    return { serverTime: options.news.exchangeTime() };
  });
  get('/exchangeInfo', WEIGHT.exchangeInfo, (query) =>
    exchangeInfo(askedSymbols(query, options.market.symbols()), options.news.exchangeTime()),
  );
  get('/klines', WEIGHT.klines, (query) => klines(query, options));
  get('/uiKlines', WEIGHT.klines, (query) => klines(query, options));
  get('/aggTrades', WEIGHT.aggTrades, (query) => aggTrades(query, options));

  app.setNotFoundHandler(async (request, reply) => {
    const error = binanceErrors.notOffered(`${request.method} ${request.url.split('?')[0]}`);
    return sendJson(reply.code(error.statusCode), binanceErrorBody(error));
  });
  app.setErrorHandler<FastifyError | BinanceError>(async (error, request, reply) => {
    const isKnown = error instanceof BinanceError;
    if (!isKnown) request.log.error({ err: error, url: request.url }, 'request failed');
    const told = isKnown ? error : binanceErrors.unknown();
    return sendJson(reply.code(told.statusCode), binanceErrorBody(told));
  });
}

/** Text passes as JSON already written. */
function sendJson(reply: FastifyReply, body: unknown): FastifyReply {
  return reply.type(JSON_TYPE).send(typeof body === 'string' ? body : JSON.stringify(body));
}

async function klines(query: BinanceQuery, options: BinanceApiOptions): Promise<unknown> {
  const { market, store, intervals } = options;
  const symbol = query.symbol(market.symbols());
  const interval = query.interval(intervals);
  const from = query.time('startTime', 'up');
  const to = query.time('endTime', 'down');
  const timeZone = query.text('timeZone');
  const limit = query.limit();
  query.done();
  if (timeZone !== undefined && !/^[+-]?0{1,2}(:00)?$/.test(timeZone)) {
    throw binanceErrors.invalid('timeZone', ' Only 0 (UTC) is offered here.');
  }
  const candles = await readCandles(store, market, {
    symbol,
    interval,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    limit,
    take: from === undefined ? 'last' : 'first',
  });
  return candles.map(klineRow);
}

async function aggTrades(
  query: BinanceQuery,
  { market, store }: BinanceApiOptions,
): Promise<string> {
  const symbol = query.symbol(market.symbols());
  const asked = {
    fromId: query.number('fromId'),
    startTime: query.time('startTime', 'up'),
    endTime: query.time('endTime', 'down'),
    limit: query.limit(),
  };
  query.done();
  const { fromId, startTime, endTime } = asked;
  if (fromId !== undefined && (startTime !== undefined || endTime !== undefined)) {
    throw binanceErrors.badCombination();
  }
  const trades = await readTrades(store, market, symbol, asked);
  if (isNotKept(trades)) throw notKept(trades);
  return `[${trades.map(aggTradeEntry).join(',')}]`;
}

function notKept({ notKept: parameter, oldest }: NotKept): BinanceError {
  const kept =
    oldest === undefined
      ? 'no trade is kept here yet'
      : `the oldest trade kept here is ${oldest.aggTradeId} of ${oldest.tradeTime}`;
  return binanceErrors.invalid(parameter, ` Older trades are not kept: ${kept}.`);
}

function askedSymbols(
  query: BinanceQuery,
  known: readonly MarketSymbol[],
): readonly MarketSymbol[] {
  const symbol = query.text('symbol');
  const symbols = query.text('symbols');
  // Known there, of no consequence here: every symbol of ours is a spot symbol that trades.
  for (const name of ['permissions', 'showPermissionSets', 'symbolStatus']) query.text(name);
  query.done();
  if (symbol !== undefined && symbols !== undefined) throw binanceErrors.badCombination();
  if (symbol !== undefined) return [knownSymbol(symbol, known)];
  if (symbols === undefined) return known;
  if (!new RegExp(SYMBOL_LIST).test(symbols)) {
    throw binanceErrors.illegalCharacters('symbols', SYMBOL_LIST);
  }
  const names: readonly string[] = JSON.parse(symbols);
  return names.map((name) => knownSymbol(name, known));
}

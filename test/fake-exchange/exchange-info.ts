// `exchangeInfo` in the exchange's shape. Only what a market-data client reads is of meaning in it.
import type { Market, SymbolState } from './market.ts';

const QUOTE_ASSETS = ['USDT', 'USDC', 'FDUSD', 'TUSD', 'BUSD', 'TRY', 'EUR', 'BTC', 'ETH', 'BNB'];

/** Request weight a minute; over it come 429 and then 418. */
export const WEIGHT_PER_MINUTE = 6_000;

export function exchangeInfo(market: Market, names: readonly string[] | undefined, now: number) {
  const states = market.symbols();
  const chosen = names ? states.filter(({ options }) => names.includes(options.symbol)) : states;
  return {
    timezone: 'UTC',
    serverTime: now,
    rateLimits: [
      rateLimit('REQUEST_WEIGHT', 'MINUTE', 1, WEIGHT_PER_MINUTE),
      rateLimit('ORDERS', 'SECOND', 10, 100),
      rateLimit('ORDERS', 'DAY', 1, 200_000),
      rateLimit('RAW_REQUESTS', 'MINUTE', 5, 300_000),
    ],
    exchangeFilters: [],
    symbols: chosen.map(symbolInfo),
  };
}

function rateLimit(rateLimitType: string, interval: string, intervalNum: number, limit: number) {
  return { rateLimitType, interval, intervalNum, limit };
}

function symbolInfo({ options, status }: SymbolState) {
  const { symbol } = options;
  const quoteAsset =
    options.quoteAsset ?? QUOTE_ASSETS.find((asset) => symbol.endsWith(asset)) ?? 'USDT';
  return {
    symbol,
    status,
    baseAsset: options.baseAsset ?? symbol.slice(0, -quoteAsset.length),
    baseAssetPrecision: 8,
    quoteAsset,
    quotePrecision: 8,
    quoteAssetPrecision: 8,
    baseCommissionPrecision: 8,
    quoteCommissionPrecision: 8,
    orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET'],
    icebergAllowed: true,
    ocoAllowed: true,
    otoAllowed: true,
    quoteOrderQtyMarketAllowed: true,
    allowTrailingStop: true,
    cancelReplaceAllowed: true,
    amendAllowed: true,
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: true,
    filters: filters(options.tickSize ?? '0.01000000', options.stepSize ?? '0.00001000'),
    permissions: [],
    permissionSets: [['SPOT']],
    defaultSelfTradePreventionMode: 'EXPIRE_MAKER',
    allowedSelfTradePreventionModes: ['EXPIRE_TAKER', 'EXPIRE_MAKER', 'EXPIRE_BOTH', 'DECREMENT'],
  };
}

function filters(tickSize: string, stepSize: string) {
  return [
    { filterType: 'PRICE_FILTER', minPrice: tickSize, maxPrice: '1000000.00000000', tickSize },
    { filterType: 'LOT_SIZE', minQty: stepSize, maxQty: '9000.00000000', stepSize },
    { filterType: 'ICEBERG_PARTS', limit: 10 },
    {
      filterType: 'NOTIONAL',
      minNotional: '5.00000000',
      applyMinToMarket: true,
      maxNotional: '9000000.00000000',
      applyMaxToMarket: false,
      avgPriceMins: 5,
    },
  ];
}

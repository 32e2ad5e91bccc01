// `exchangeInfo` with what is known here: our symbols and the request limit. No order rules: nothing can be ordered.
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { EpochMs } from '../../core/market/time.ts';
import { REQUEST_WEIGHT_MAX } from './request-weight.ts';

/** Quote assets of the exchange, where one ends with another the longer one first: a symbol is split by its end. */
const QUOTE_ASSETS: readonly string[] = [
  'FDUSD',
  'USDT',
  'USDC',
  'TUSD',
  'BUSD',
  'USD1',
  'USDP',
  'USDS',
  'IDRT',
  'BIDR',
  'BVND',
  'EURI',
  'BKRW',
  'DOGE',
  'AEUR',
  'TRY',
  'EUR',
  'GBP',
  'AUD',
  'BRL',
  'RUB',
  'UAH',
  'NGN',
  'ZAR',
  'PLN',
  'RON',
  'ARS',
  'JPY',
  'MXN',
  'COP',
  'CZK',
  'IDR',
  'DAI',
  'VAI',
  'PAX',
  'BTC',
  'ETH',
  'BNB',
  'XRP',
  'TRX',
  'SOL',
  'DOT',
  'USD',
];

export function exchangeInfo(symbols: readonly MarketSymbol[], serverTime: EpochMs): object {
  return {
    timezone: 'UTC',
    serverTime,
    rateLimits: [
      {
        rateLimitType: 'REQUEST_WEIGHT',
        interval: 'MINUTE',
        intervalNum: 1,
        limit: REQUEST_WEIGHT_MAX,
      },
    ],
    exchangeFilters: [],
    symbols: symbols.map(symbolInfo),
  };
}

function symbolInfo(symbol: MarketSymbol): object {
  const { baseAsset, quoteAsset } = assetsOf(symbol);
  return {
    symbol,
    status: 'TRADING',
    baseAsset,
    baseAssetPrecision: 8,
    quoteAsset,
    quotePrecision: 8,
    quoteAssetPrecision: 8,
    baseCommissionPrecision: 8,
    quoteCommissionPrecision: 8,
    orderTypes: [],
    icebergAllowed: false,
    ocoAllowed: false,
    otoAllowed: false,
    quoteOrderQtyMarketAllowed: false,
    allowTrailingStop: false,
    cancelReplaceAllowed: false,
    amendAllowed: false,
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: false,
    filters: [],
    permissions: [],
    permissionSets: [['SPOT']],
    defaultSelfTradePreventionMode: 'NONE',
    allowedSelfTradePreventionModes: [],
  };
}

/** `BTCUSDT` → BTC and USDT; an end that is no known quote asset leaves the quote empty rather than guessed. */
export function assetsOf(symbol: MarketSymbol): { baseAsset: string; quoteAsset: string } {
  const quoteAsset = QUOTE_ASSETS.find(
    (asset) => symbol.endsWith(asset) && symbol.length > asset.length,
  );
  if (quoteAsset === undefined) return { baseAsset: symbol, quoteAsset: '' };
  return { baseAsset: symbol.slice(0, -quoteAsset.length), quoteAsset };
}

// The table of settings: name, environment, default, how its text becomes a value. One place; help, config and docs follow it.
import { INTERVALS, type Interval, isInterval } from '../core/market/interval.ts';
import { type MarketSymbol, parseMarketSymbol, SYMBOLS_MAX } from '../core/market/symbol.ts';
import { KAFKA_SETTINGS } from './kafka-settings.ts';
import {
  anyText,
  fault,
  oneOf,
  type Parse,
  parseDuration,
  setting,
  wholeNumber,
} from './setting.ts';

export type SourceChoice =
  | { readonly kind: 'auto' | 'binance' | 'simulated' }
  | { readonly kind: 'recording'; readonly file: string };

const parseSymbols: Parse<readonly MarketSymbol[]> = (text) => {
  const parts = text.split(',').map((part) => part.trim());
  const symbols: MarketSymbol[] = [];
  for (const part of parts) {
    const symbol = parseMarketSymbol(part);
    if (symbol === undefined) return fault('symbols such as BTCUSDT,ETHUSDT', text);
    if (!symbols.includes(symbol)) symbols.push(symbol);
  }
  if (symbols.length > SYMBOLS_MAX) {
    return { fault: `expected at most ${SYMBOLS_MAX} symbols, were ${symbols.length}` };
  }
  return { value: symbols };
};

const parseIntervals: Parse<readonly Interval[]> = (text) => {
  const parts = text === 'all' ? [...INTERVALS] : text.split(',').map((part) => part.trim());
  const unknown = parts.find((part) => !isInterval(part));
  if (unknown !== undefined) return fault(`intervals out of ${INTERVALS.join(' ')}`, unknown);
  return { value: INTERVALS.filter((interval) => parts.includes(interval)) };
};

const parseSource: Parse<SourceChoice> = (text) => {
  if (text === 'auto' || text === 'binance' || text === 'simulated') {
    return { value: { kind: text } };
  }
  const file = text.startsWith('recording:') ? text.slice('recording:'.length) : '';
  if (file !== '') return { value: { kind: 'recording', file } };
  return fault('auto, binance, simulated or recording:<file>', text);
};

/** Base URLs without a path, by commas. */
function parseUrls(...protocols: readonly string[]): Parse<readonly string[]> {
  return (text) => {
    const urls: string[] = [];
    for (const part of text.split(',').map((each) => each.trim())) {
      const url = URL.canParse(part) ? new URL(part) : undefined;
      const isBase = url !== undefined && url.pathname === '/' && url.search === '';
      if (!isBase || !protocols.includes(url.protocol)) {
        return fault(`base URLs such as ${protocols[0]}//host:port without a path`, part);
      }
      urls.push(part.replace(/\/$/, ''));
    }
    return { value: urls };
  };
}

const parseProxy: Parse<string> = (text) => {
  const isProxy = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  return isProxy ? { value: text } : fault('a proxy such as http://host:port', text);
};

const parseDatabaseUrl: Parse<string> = (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isDatabase = url !== undefined && /^postgres(ql)?:$/.test(url.protocol);
  // The value is not quoted: it may hold a password.
  return isDatabase && url.pathname.length > 1
    ? { value: text }
    : { fault: 'expected a database such as postgres://user:password@host:5432/wickstream' };
};

const HOST = /^[a-zA-Z0-9.:_[\]-]+$/;
const parseHost: Parse<string> = (text) =>
  HOST.test(text) ? { value: text } : fault('an address such as 127.0.0.1', text);

const parseNames: Parse<readonly string[]> = (text) => {
  const names = text === '' ? [] : text.split(',').map((name) => name.trim().toLowerCase());
  const odd = names.find((name) => !HOST.test(name));
  return odd === undefined ? { value: names } : fault('host names by commas', odd);
};

/** The public endpoints first, then the market-data-only ones. */
const BINANCE_WS =
  'wss://stream.binance.com:9443,wss://stream.binance.com:443,wss://data-stream.binance.vision';
const BINANCE_REST =
  'https://api.binance.com,https://data-api.binance.vision,https://api-gcp.binance.com,https://api1.binance.com';

export const SETTINGS = {
  symbols: setting('symbols', '<list>', 'BTCUSDT', parseSymbols, 'symbols by commas'),
  intervals: setting('intervals', '<list>', 'all', parseIntervals, 'intervals by commas, or all'),
  source: setting(
    'source',
    '<source>',
    'auto',
    parseSource,
    'auto, binance, simulated or recording:<file>; auto shows a simulated market, labelled so, where Binance cannot be reached',
  ),
  binanceWebSocketUrls: setting(
    'binance-ws-url',
    '<urls>',
    BINANCE_WS,
    parseUrls('wss:', 'ws:'),
    'WebSocket base URLs by commas, tried in order',
    { env: ['BINANCE_WS_URL'] },
  ),
  binanceRestUrls: setting(
    'binance-rest-url',
    '<urls>',
    BINANCE_REST,
    parseUrls('https:', 'http:'),
    'REST base URLs by commas, tried in order',
    { env: ['BINANCE_REST_URL'] },
  ),
  proxy: setting(
    'https-proxy',
    '<url>',
    undefined,
    parseProxy,
    'proxy to reach TLS endpoints through',
    { env: ['HTTPS_PROXY', 'https_proxy'], secret: true },
  ),
  dataDir: setting('data-dir', '<dir>', './data', anyText, 'where candles are kept'),
  databaseUrl: setting(
    'database-url',
    '<url>',
    undefined,
    parseDatabaseUrl,
    'postgres://…: keep candles in TimescaleDB or PostgreSQL, not in the data directory',
    { env: ['DATABASE_URL'], secret: true },
  ),
  ...KAFKA_SETTINGS,
  keepSecondsMs: setting('keep-1s', '<time>', '24h', parseDuration, 'how long 1s candles are kept'),
  keepTradesMs: setting(
    'keep-trades',
    '<time>',
    undefined,
    parseDuration,
    'how long trades are kept, too (default: none are)',
  ),
  host: setting('host', '<address>', '127.0.0.1', parseHost, 'address to listen on', {
    env: ['HOST'],
  }),
  port: setting('port', '<number>', '8501', wholeNumber(0, 65_535), 'port to listen on', {
    env: ['PORT'],
  }),
  allowedHosts: setting(
    'allowed-hosts',
    '<names>',
    '',
    parseNames,
    'names, by commas, this is reached by beside its address: behind a proxy, from Prometheus',
  ),
  accessToken: setting(
    'access-token',
    '<token>',
    undefined,
    anyText,
    'needed for whatever changes state when not listening on loopback',
    { secret: true },
  ),
  seed: setting('seed', '<number>', '1', wholeNumber(0, 2 ** 31), 'seed of the simulated market'),
  tradesPerSecond: setting(
    'trades-per-second',
    '<number>',
    undefined,
    wholeNumber(1, 100_000),
    'mean rate of the simulated market, a symbol',
  ),
  logLevel: setting(
    'log-level',
    '<level>',
    'info',
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
    'trace, debug, info, warn, error or silent',
    { env: ['LOG_LEVEL'] },
  ),
  logFormat: setting(
    'log-format',
    '<format>',
    undefined,
    oneOf('pretty', 'json'),
    'pretty or json (default: pretty on a terminal, json elsewhere)',
    { env: ['LOG_FORMAT'] },
  ),
} as const;

export type SettingName = keyof typeof SETTINGS;

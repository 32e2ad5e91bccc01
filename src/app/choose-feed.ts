// Which market is shown. `auto` is Binance, or, where it cannot be reached and no real candles are here, a simulated one, labelled so.
import { basename } from 'node:path';
import type { Logger } from 'pino';
import type { Source } from '../core/market/source.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { Clock, DurationMs } from '../core/market/time.ts';
import {
  type BinanceFeedOptions,
  binanceFeed,
  binanceSource,
  reachable,
} from '../feed/binance/feed.ts';
import type { MarketFeed } from '../feed/market-feed.ts';
import type { Config } from './config.ts';
import { hasCandles } from './open-store.ts';

const REACH_TIMEOUT_MS: DurationMs = 5_000;

export interface ChooseFeedOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface ChosenFeed {
  readonly feed: MarketFeed;
  /** Why this is not what the user may have expected, and what would mend it: for the console and the strip. */
  readonly notice?: string;
  /** Where the feed says which symbols there are (a recording), whatever was asked for. */
  readonly symbols?: readonly MarketSymbol[];
}

/** @throws FeedError where the source asked for cannot be used. */
export async function chooseFeed(options: ChooseFeedOptions): Promise<ChosenFeed> {
  const { config, clock, logger, signal } = options;
  const { source } = config;
  switch (source.kind) {
    case 'binance':
      return { feed: binance(options, 'end') };
    case 'simulated':
      return { feed: await simulated(options) };
    case 'recording': {
      const { recordingFeed } = await import('../feed/recording/recording-feed.ts');
      const feed = await recordingFeed({ path: source.file, speed: 1, clock, logger });
      return { feed, symbols: feed.header.symbols };
    }
    case 'auto':
      break;
  }
  const reach = await reachable({
    restUrls: config.binanceRestUrls,
    webSocketUrls: config.binanceWebSocketUrls,
    timeoutMs: REACH_TIMEOUT_MS,
    clock,
    ...proxyOf(config),
    signal,
  });
  if (reach.reachable) return { feed: binance(options, 'try-on') };
  const remedy =
    'Check the network, a proxy (HTTPS_PROXY) or other endpoints (--binance-rest-url, --binance-ws-url).';
  const real = binanceSource({
    restUrls: config.binanceRestUrls,
    webSocketUrls: config.binanceWebSocketUrls,
  });
  if (await hasCandles(config, real)) {
    const notice = `Binance cannot be reached (${reach.reason}): showing the candles kept so far and trying on. ${remedy}`;
    return { feed: binance(options, 'try-on'), notice };
  }
  const notice = `Binance cannot be reached (${reach.reason}): this is a SIMULATED market, no real prices. ${remedy} --source binance never simulates.`;
  return { feed: await simulated(options), notice };
}

function binance(
  options: Pick<ChooseFeedOptions, 'config' | 'clock' | 'logger'>,
  whenRefused: 'end' | 'try-on',
): MarketFeed {
  return binanceFeed({
    ...binanceOptions(options),
    whenRefused,
    historyIntervals: options.config.intervals,
  });
}

/** What every part that asks Binance needs. */
export function binanceOptions({
  config,
  clock,
  logger,
}: Pick<ChooseFeedOptions, 'config' | 'clock' | 'logger'>): BinanceFeedOptions {
  return {
    restUrls: config.binanceRestUrls,
    webSocketUrls: config.binanceWebSocketUrls,
    clock,
    random: Math.random,
    logger,
    ...proxyOf(config),
  };
}

/** Loaded when it is needed: the real market starts without it. */
async function simulated({ config, clock, logger }: ChooseFeedOptions): Promise<MarketFeed> {
  const { simulatedFeed } = await import('../feed/simulated/simulated-feed.ts');
  return simulatedFeed({
    symbols: config.symbols,
    seed: config.seed,
    clock,
    logger,
    ...(config.tradesPerSecond === undefined ? {} : { tradesPerSecond: config.tradesPerSecond }),
  });
}

function proxyOf({ proxy }: Config): { readonly proxy?: string } {
  return proxy === undefined ? {} : { proxy };
}

/** One line for the console. */
export function sourceLabel(source: Source): string {
  switch (source.kind) {
    case 'binance':
      return `Binance (${source.host})`;
    case 'simulated':
      return `a simulated market (seed ${source.seed})`;
    case 'recording':
      return `the recording ${basename(source.name)}`;
  }
}

// Whose candles a command works on that speaks to no exchange: by --source and the endpoints, as `up` would choose.
import type { Source } from '../core/market/source.ts';
import { binanceSource } from '../feed/binance/feed.ts';
import { type Config, ConfigError } from './config.ts';

/** `auto` is Binance: nothing is simulated where nothing is shown. @throws ConfigError */
export function keptSource(config: Config): Source {
  const { source } = config;
  switch (source.kind) {
    case 'auto':
    case 'binance':
      return binanceSource({
        restUrls: config.binanceRestUrls,
        webSocketUrls: config.binanceWebSocketUrls,
      });
    case 'simulated': {
      const { seed, tradesPerSecond } = config;
      return {
        kind: 'simulated',
        seed,
        ...(tradesPerSecond === undefined ? {} : { tradesPerSecond }),
      };
    }
    case 'recording':
      throw new ConfigError([
        '--source: expected binance or simulated for this command, a recording is only replayed',
      ]);
  }
}

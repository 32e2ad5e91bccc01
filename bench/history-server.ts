// The dashboard's server over a store alone: what is in it is all there is, and the feed is said to be live. Starts no stage.
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { systemClock } from '../src/app/system-clock.ts';
import { INTERVALS } from '../src/core/market/interval.ts';
import type { Source } from '../src/core/market/source.ts';
import type { MarketSymbol } from '../src/core/market/symbol.ts';
import { createServer } from '../src/server/create-server.ts';
import { MarketModel } from '../src/stages/serve/market-model.ts';
import type { CandleStore } from '../src/store/candle-store.ts';
import { ROOT } from '../test/product/product.ts';

const STATUS_MS = 1_000;

export interface HistoryServer extends AsyncDisposable {
  readonly url: string;
}

export async function startHistoryServer(
  store: CandleStore,
  symbol: MarketSymbol,
  source: Source,
): Promise<HistoryServer> {
  const market = new MarketModel([symbol]);
  const since = systemClock.now();
  const tell = () =>
    market.applyStatus({
      ...{ source, state: 'live', since, clockOffsetMs: 0, symbols: {} },
      at: systemClock.now(),
    });
  tell();
  const telling = setInterval(tell, STATUS_MS);
  const server = await createServer({
    ...{ market, store, source, intervals: INTERVALS, clock: systemClock },
    host: '127.0.0.1',
    port: 0,
    version: 'bench',
    dashboardDir: join(ROOT, 'web/dist'),
    logger: pino({ level: 'silent' }),
    metrics: new Registry(),
    wish: async () => undefined,
  });
  return {
    url: await server.listen(),
    async [Symbol.asyncDispose]() {
      clearInterval(telling);
      await server[Symbol.asyncDispose]();
    },
  };
}

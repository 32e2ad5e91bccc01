// What the user wishes to follow, from the log to the feed and, for the next start, to the store. Decides nothing about symbols.
import type { Logger } from 'pino';
import type { SymbolWish } from '../../core/market/listing.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock, DurationMs } from '../../core/market/time.ts';
import type { MarketFeed, StartPoint } from '../../feed/market-feed.ts';
import type { Log } from '../../log/log.ts';
import { SYMBOLS } from '../../protocol/topics.ts';
import type { CandleStore } from '../../store/candle-store.ts';

const POLL_TIMEOUT_MS: DurationMs = 1_000;
/** A store that cannot say where a symbol ends is asked again after this; later wishes wait. */
const START_RETRY_MS: DurationMs = 5_000;

export interface WishesOptions {
  readonly feed: Pick<MarketFeed, 'add' | 'remove'>;
  readonly log: Log;
  readonly store?: Pick<CandleStore, 'writeSymbolWish'>;
  /** Where a symbol goes on. Default: at the current minute. */
  readonly startOf?: (symbol: MarketSymbol) => Promise<StartPoint>;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  readonly signal: AbortSignal;
}

export interface Wishes {
  /** Runs until `signal` aborts. */
  follow(): Promise<void>;
  /** The feed refused `payload`: where that is a symbol that was wished for, the wish is taken back, so that nobody waits for it. */
  refused(payload: string): Promise<void>;
}

export function createWishes(options: WishesOptions): Wishes {
  const { feed, log, store, clock, logger, signal } = options;
  const wanted = new Set<string>();

  async function grant(wish: SymbolWish): Promise<void> {
    const { symbol } = wish;
    await store?.writeSymbolWish(wish).catch((error: unknown) => {
      logger.warn(`The wish for ${symbol} could not be kept, a restart forgets it: ${error}`);
    });
    if (!wish.wanted) {
      wanted.delete(symbol);
      feed.remove(symbol);
      return;
    }
    wanted.add(symbol);
    feed.add(await startOf(symbol));
  }

  /** @throws the signal's reason when it aborts first. */
  async function startOf(symbol: MarketSymbol): Promise<StartPoint> {
    for (;;) {
      try {
        return (await options.startOf?.(symbol)) ?? { symbol, resumeFrom: undefined };
      } catch (error) {
        logger.warn(`Where ${symbol} goes on could not be read: ${error}; trying again`);
      }
      await clock.sleep(START_RETRY_MS, signal);
      signal.throwIfAborted();
    }
  }

  return {
    async follow() {
      // Every ingest follows every wish, however many run.
      await using consumer = log.consumer({
        group: 'ingest-symbols',
        topics: [SYMBOLS],
        reading: 'alone',
      });
      while (!signal.aborted) {
        const records = await consumer.poll({ timeoutMs: POLL_TIMEOUT_MS, signal });
        for (const { value } of records) {
          await grant(value);
          logger.info(`${value.wanted ? 'Following' : 'No longer following'} ${value.symbol}`);
        }
        if (records.length > 0) await consumer.commit([]);
      }
    },
    async refused(payload) {
      if (!wanted.delete(payload)) return;
      const at = clock.now();
      const value = { symbol: payload, wanted: false, at };
      await log.append([{ topic: SYMBOLS, key: payload, value, timestamp: at }], { signal });
    },
  };
}

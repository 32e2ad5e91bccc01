// How writing goes, told at each change: to the log file, and to whoever shows it. Decides nothing.
import type { Logger } from 'pino';
import type { LogConsumer } from '../../log/log.ts';
import { RAW_TICKS } from '../../protocol/topics.ts';
import { identityOf, type Refused } from '../write-candles.ts';
import type { Persisted, StoreBatch } from './store-batches.ts';

export interface PersistState {
  /** failing: the store takes nothing now; the log keeps what it can, and writing is tried again. */
  readonly state: 'writing' | 'failing';
  readonly reason?: string;
  /** Closed candles that this store lacks since the start: dropped at the log's bound, or beyond the store's range. */
  readonly lostCandles: number;
  /** Trades, likewise, where they are kept. */
  readonly lostTrades: number;
}

/** Of a batch that only takes away. */
const NOTHING = { candles: [], trades: [] } as const;

export interface Reporter {
  dropped(): void;
  /** The store took the batch, but for what it refused. */
  written(batch: StoreBatch, refused: readonly Refused[]): void;
  failed(error: unknown, next: string): void;
}

export function reporter(
  consumer: LogConsumer<Persisted>,
  options: {
    readonly logger: Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>;
    readonly onState?: (state: PersistState) => void;
  },
): Reporter {
  const { logger, onState } = options;
  let state: PersistState = { state: 'writing', lostCandles: 0, lostTrades: 0 };
  let seen = { all: 0, trades: 0 };

  const change = (changes: Partial<PersistState>): void => {
    state = { ...state, ...changes };
    onState?.(state);
  };

  const lose = (candles: number, trades: number): Partial<PersistState> => ({
    lostCandles: state.lostCandles + candles,
    lostTrades: state.lostTrades + trades,
  });

  return {
    dropped() {
      const all = consumer.dropped;
      if (all === seen.all) return;
      const trades = consumer.droppedOf(RAW_TICKS);
      const [newTrades, newCandles] = [trades - seen.trades, all - trades - seen.all + seen.trades];
      seen = { all, trades };
      const what = [
        ...(newCandles > 0 ? [`${newCandles} candles`] : []),
        ...(newTrades > 0 ? [`${newTrades} records of trades`] : []),
      ].join(' and ');
      logger.error(`The store has fallen behind: ${what} were dropped before it took them`);
      change(lose(newCandles, newTrades));
    },
    written(batch, refused) {
      const lostTrades = refused.filter(({ value }) => 'aggTradeId' in value).length;
      const lostCandles = refused.length - lostTrades;
      const given = batch.type === 'write' ? batch : NOTHING;
      const candles = given.candles.length - lostCandles;
      const trades = given.trades.length - lostTrades;
      logger.debug(`Stored ${candles} candles${trades === 0 ? '' : ` and ${trades} trades`}`);
      for (const { value, error } of refused) {
        logger.error(identityOf({ value }), `Not stored: ${error.message}`);
      }
      const lost = lose(lostCandles, lostTrades);
      if (state.state === 'failing') {
        logger.info('The candle store takes candles again');
        const { reason: _, ...rest } = state;
        state = { ...rest, state: 'writing', ...lost };
        onState?.(state);
      } else if (refused.length > 0) change(lost);
    },
    failed(error, next) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn(`The candle store failed: ${reason}; ${next}`);
      if (state.state !== 'failing' || state.reason !== reason)
        change({ state: 'failing', reason });
    },
  };
}

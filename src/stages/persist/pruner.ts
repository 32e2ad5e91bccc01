// What the keep settings no longer cover goes: 1s candles and trades, by the newest candle's time, at most once a minute, in parts.
import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Candle } from '../../core/market/candle.ts';
import {
  addMs,
  type Clock,
  type DurationMs,
  type EpochMs,
  epochMs,
  MINUTE_MS,
} from '../../core/market/time.ts';
import type { CandleStore, TradePruning } from '../../store/candle-store.ts';

const PRUNE_INTERVAL_MS: DurationMs = MINUTE_MS;

/** Trades removed at once: some 10 ms of the embedded store. */
export const PRUNE_TRADES_MAX = 2_000;
/** Parts of trades removed a minute; what is left goes in the next ones. Far more than any market brings. */
export const PRUNE_PARTS_MAX = 250;

export interface PrunerOptions {
  readonly store: CandleStore;
  readonly clock: Clock;
  readonly keepSecondsMs: DurationMs;
  /** Undefined: trades are left as they are. */
  readonly keepTradesMs: DurationMs | undefined;
  readonly logger: Pick<Logger, 'warn' | 'debug'>;
}

/** Age is by the candles' own time: a replay of the past keeps its last day. */
export function pruner(options: PrunerOptions): (candles: readonly Candle[]) => Promise<void> {
  const { clock, logger } = options;
  let newest: EpochMs = epochMs(0);
  let nextAt: EpochMs | undefined;
  return async (candles) => {
    for (const { closeTime } of candles) if (closeTime > newest) newest = closeTime;
    const now = clock.now();
    if (newest === 0 || (nextAt !== undefined && now < nextAt)) return;
    nextAt = addMs(now, PRUNE_INTERVAL_MS);
    try {
      await prune(options, newest);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn(`What is old was not removed: ${reason}; trying again in a minute`);
    }
  };
}

async function prune(options: PrunerOptions, newest: EpochMs): Promise<void> {
  const { store, logger, keepSecondsMs, keepTradesMs } = options;
  const candles = await store.prune('1s', addMs(newest, -keepSecondsMs));
  if (candles > 0) logger.debug(`Removed ${candles} 1s candles older than ${keepSecondsMs} ms`);
  if (keepTradesMs === undefined) return;
  const before = addMs(newest, -keepTradesMs);
  const trades = await pruneTrades(store, { before }, PRUNE_PARTS_MAX);
  if (trades > 0) logger.debug(`Removed ${trades} trades older than ${keepTradesMs} ms`);
}

/** Answers how many went. Sockets and timers have their turn between the parts. */
export async function pruneTrades(
  store: CandleStore,
  which: Omit<TradePruning, 'limit'>,
  partsMax: number,
): Promise<number> {
  let pruned = 0;
  for (let part = 0; part < partsMax; part++) {
    const count = await store.trades.prune({ ...which, limit: PRUNE_TRADES_MAX });
    if (count === 0) return pruned;
    pruned += count;
    await setImmediate();
  }
  return pruned;
}

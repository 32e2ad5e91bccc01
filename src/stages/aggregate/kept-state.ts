// Where the log is the memory: what an aggregation writes of itself beside its candles, and reads back when its partitions are new to it.
import type { ClosedTails, RolledState } from '../../core/aggregation/aggregation-state.ts';
import { DAYS_KEPT, MINUTES_KEPT, SECONDS_KEPT } from '../../core/aggregation/corrections.ts';
import type { SymbolAggregation } from '../../core/aggregation/symbol-aggregation.ts';
import type { Candle } from '../../core/market/candle.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import {
  DAY_MS,
  type DurationMs,
  type EpochMs,
  MINUTE_MS,
  SECOND_MS,
} from '../../core/market/time.ts';
import type { AnyLogRecord, Assignment } from '../../log/log.ts';
import { type AggregationStateRecord, stateKey } from '../../protocol/aggregation-state-record.ts';
import { AGGREGATE_STATE, OHLCV } from '../../protocol/topics.ts';

/** One symbol being folded. */
export interface Folding {
  readonly aggregation: SymbolAggregation;
  /** Where its records come from and what follows from them goes; undefined in process. */
  readonly partition: number | undefined;
  /** Since the last state that was written. */
  isRolledChanged: boolean;
}

type OpenState = AggregationStateRecord & { readonly type: 'open' };

export interface KeptState {
  readonly partition: number | undefined;
  readonly state: OpenState['state'];
  readonly rolled: RolledState;
  readonly closed: ClosedTails;
}

export function stateRecords({ aggregation, partition, isRolledChanged }: Folding): AnyLogRecord[] {
  const { symbol } = aggregation;
  const state = aggregation.state();
  const values: AggregationStateRecord[] = [{ type: 'open', symbol, state }];
  if (isRolledChanged) values.push({ type: 'rolled', symbol, rolled: aggregation.rolledState() });
  const timestamp = Math.max(0, state.second.openTime) as EpochMs;
  const place = partition === undefined ? {} : { partition };
  return values.map((value) => ({
    topic: AGGREGATE_STATE,
    key: stateKey(value),
    value,
    timestamp,
    ...place,
  }));
}

const NOTHING_ROLLED: RolledState = { rollUps: [], revisions: [] };

/** What the partitions' former owners have left, symbol by symbol. */
export async function readStates(
  assignment: Assignment,
): Promise<ReadonlyMap<MarketSymbol, KeptState>> {
  const open = new Map<
    MarketSymbol,
    { state: OpenState['state']; partition: number | undefined }
  >();
  const rolled = new Map<MarketSymbol, RolledState>();
  for await (const records of assignment.tail(AGGREGATE_STATE)) {
    for (const { value, partition } of records) {
      if (value.type === 'open') open.set(value.symbol, { state: value.state, partition });
      else rolled.set(value.symbol, value.rolled);
    }
  }
  const times = [...open.values()].map(({ state }) => state.minute.openTime);
  const from = Math.min(...times.filter((time) => time >= 0));
  const seconds = await readClosed(assignment, '1s', from, SECONDS_KEPT * SECOND_MS);
  const minutes = await readClosed(assignment, '1m', from, MINUTES_KEPT * MINUTE_MS);
  const days = await readClosed(assignment, '1d', from, DAYS_KEPT * DAY_MS);
  const kept = new Map<MarketSymbol, KeptState>();
  for (const [symbol, { state, partition }] of open) {
    kept.set(symbol, {
      partition,
      state,
      rolled: rolled.get(symbol) ?? NOTHING_ROLLED,
      closed: {
        seconds: seconds.get(symbol) ?? [],
        minutes: minutes.get(symbol) ?? [],
        days: days.get(symbol) ?? [],
      },
    });
  }
  return kept;
}

/** In the order they were published: of one identity the highest revision comes last. */
async function readClosed(
  assignment: Assignment,
  interval: '1s' | '1m' | '1d',
  before: number,
  reachMs: DurationMs,
): Promise<ReadonlyMap<MarketSymbol, readonly Candle[]>> {
  const candles = new Map<MarketSymbol, Candle[]>();
  if (!Number.isFinite(before)) return candles;
  const since = Math.max(0, before - reachMs) as EpochMs;
  for await (const records of assignment.tail(OHLCV[interval], since)) {
    for (const { value } of records) {
      const known = candles.get(value.symbol);
      if (known === undefined) candles.set(value.symbol, [value]);
      else known.push(value);
    }
  }
  return candles;
}

// Stage: raw_ticks → candles. Reads records, lets each symbol's aggregation decide, writes closed candles, corrections and open candles.
// Knows neither the exchange nor the store; time is used only to space out the open candles.
import type { Logger } from 'pino';
import type { AggregationEvent } from '../core/aggregation/aggregation-event.ts';
import type { AggregationSeed } from '../core/aggregation/aggregation-seed.ts';
import { SymbolAggregation } from '../core/aggregation/symbol-aggregation.ts';
import type { Candle } from '../core/market/candle.ts';
import { type Decimal, formatDecimal } from '../core/market/decimal.ts';
import type { Interval } from '../core/market/interval.ts';
import { type RawTick, symbolOfTick } from '../core/market/raw-tick.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { Clock, DurationMs } from '../core/market/time.ts';
import { REJECTED_PAYLOAD_MAX } from '../feed/market-feed.ts';
import type { AnyLogRecord, Assignment, Log, UndecodableRecord } from '../log/log.ts';
import { liveKey, OHLCV, OHLCV_LIVE, RAW_TICKS, RAW_TICKS_DLQ } from '../protocol/topics.ts';
import { type Folding, readStates, stateRecords } from './aggregate/kept-state.ts';

/** An open candle is written at most once in this time, in process. */
export const LIVE_UPDATE_MS: DurationMs = 16;
/** Over Kafka, where each update is a transaction. */
export const LIVE_UPDATE_KAFKA_MS: DurationMs = 40;
/** Nothing is committed between the parts of a repair, unless its rest does not come. */
const REPAIR_MS_MAX: DurationMs = 2_000;
/** How long a poll waits when nothing is due. */
const IDLE_POLL_MS: DurationMs = 1_000;

export interface AggregateOptions {
  readonly log: Log;
  /** What is published; 1s and 1m are folded from trades, the rest rolled up. */
  readonly intervals: readonly Interval[];
  readonly liveUpdateMs?: DurationMs;
  readonly clock: Clock;
  /**
   * A symbol's closed candles to go on from, asked once, with its first record before that is applied.
   * Without it the log is the memory: the state is written beside the candles and read at each assignment.
   */
  readonly restore?: (first: RawTick) => Promise<AggregationSeed | undefined>;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'debug'>;
  readonly counts?: AggregateCounts;
  readonly signal: AbortSignal;
}

/** What `/metrics` and `/api/v1/health` show of this stage. */
export interface AggregateCounts {
  trades: number;
  closed: number;
  corrected: number;
  duplicates: number;
  covered: number;
  holes: number;
}

export function aggregateCounts(): AggregateCounts {
  return { trades: 0, closed: 0, corrected: 0, duplicates: 0, covered: 0, holes: 0 };
}

/** Runs until `signal` aborts, then ends quietly. */
export async function aggregate(options: AggregateOptions): Promise<void> {
  const { log, clock, signal, liveUpdateMs = LIVE_UPDATE_MS } = options;
  const candles = new CandleOutputs(options);
  await using consumer = log.consumer({
    group: 'aggregate',
    topics: [RAW_TICKS],
    onAssignment: (assignment) => candles.assigned(assignment),
    onUndecodable: (undecodable) => candles.reject(undecodable),
  });
  let liveDueAt = 0;
  while (!signal.aborted) {
    const waitMs = candles.hasChanges() ? Math.max(0, liveDueAt - clock.now()) : IDLE_POLL_MS;
    const records = await consumer.poll({ timeoutMs: waitMs, signal });
    for (const { value, partition } of records) {
      const ready = candles.symbolReady(value, partition);
      if (ready !== undefined) await ready;
      candles.apply(value);
    }
    const isLiveDue = clock.now() >= liveDueAt;
    if (candles.isInRepair() && clock.now() < liveDueAt + REPAIR_MS_MAX) continue;
    // The offset waits for the open candles: state may be ahead of it, never behind.
    if (!candles.hasClosed() && !(candles.hasChanges() && isLiveDue)) continue;
    liveDueAt = clock.now() + liveUpdateMs;
    // False: the next poll begins with an assignment, and everything since the last commit comes again.
    await consumer.commit(candles.take());
  }
}

/** Every symbol's aggregation, and the records they have for the log. */
class CandleOutputs {
  private readonly options: AggregateOptions;
  private readonly intervals: ReadonlySet<Interval>;
  private readonly symbols = new Map<MarketSymbol, Folding>();
  private readonly changed = new Set<Folding>();
  private closed: AnyLogRecord[] = [];
  private readonly counts: AggregateCounts;

  constructor(options: AggregateOptions) {
    this.options = options;
    this.intervals = new Set(options.intervals);
    this.counts = options.counts ?? aggregateCounts();
  }

  hasClosed(): boolean {
    return this.closed.length > 0;
  }

  hasChanges(): boolean {
    return this.changed.size > 0;
  }

  isInRepair(): boolean {
    for (const { aggregation } of this.changed) if (aggregation.isInRepair) return true;
    return false;
  }

  /** Forgets what is others' business now, and goes on from what the log has of what is new. */
  async assigned(assignment: Assignment): Promise<void> {
    const gone = new Set([...assignment.revoked, ...assignment.added]);
    const isGone = (partition: number | undefined) =>
      partition !== undefined && gone.has(partition);
    for (const [symbol, folding] of this.symbols) {
      if (!isGone(folding.partition)) continue;
      this.symbols.delete(symbol);
      this.changed.delete(folding);
    }
    this.closed = this.closed.filter(({ partition }) => !isGone(partition));
    if (this.options.restore !== undefined) return;
    const startedAt = this.options.clock.now();
    const kept = await readStates(assignment);
    for (const [symbol, { partition, state, rolled, closed }] of kept) {
      this.folding(symbol, partition).aggregation.resume(state, rolled, closed);
    }
    const { added, revoked } = assignment;
    const tookMs = this.options.clock.now() - startedAt;
    this.options.logger.info(
      { added, revoked, symbols: kept.size, tookMs },
      `Partitions assigned: ${added.length} new, ${revoked.length} given up, ${kept.size} symbols go on`,
    );
  }

  /** What is no record of raw_ticks: kept with the reason, in the order of what follows from its neighbours. */
  reject({ partition, offset, key, reason, payload }: UndecodableRecord): void {
    const receivedAt = this.options.clock.now();
    this.options.logger.warn({ partition, offset }, `Not a record of raw_ticks: ${reason}`);
    this.closed.push({
      topic: RAW_TICKS_DLQ,
      key,
      value: {
        reason: `${RAW_TICKS.name}, partition ${partition}, offset ${offset}: ${reason}`,
        payload: payload.slice(0, REJECTED_PAYLOAD_MAX),
        receivedAt,
      },
      timestamp: receivedAt,
      partition,
    });
  }

  /** Restores a symbol seen for the first time; undefined for the others. */
  symbolReady(first: RawTick, partition: number | undefined): Promise<void> | undefined {
    const symbol = symbolOfTick(first);
    if (this.symbols.has(symbol)) return undefined;
    if (this.options.restore !== undefined) return this.restore(first, this.options.restore);
    this.folding(symbol, partition);
    return undefined;
  }

  private async restore(
    first: RawTick,
    restore: NonNullable<AggregateOptions['restore']>,
  ): Promise<void> {
    const symbol = symbolOfTick(first);
    const seed = await restore(first);
    const { aggregation } = this.folding(symbol, undefined);
    if (seed !== undefined) aggregation.restore(seed);
  }

  private folding(symbol: MarketSymbol, partition: number | undefined): Folding {
    const folding: Folding = {
      partition,
      aggregation: new SymbolAggregation(symbol, (event) => this.event(folding, event)),
      isRolledChanged: true,
    };
    this.symbols.set(symbol, folding);
    return folding;
  }

  apply(tick: RawTick): void {
    const folding = this.symbols.get(symbolOfTick(tick));
    if (folding === undefined) return;
    const { aggregation } = folding;
    const { folded, duplicates, covered } = aggregation.counts;
    aggregation.apply(tick);
    this.counts.trades += aggregation.counts.folded - folded;
    this.counts.duplicates += aggregation.counts.duplicates - duplicates;
    this.counts.covered += aggregation.counts.covered - covered;
    if (tick.type === 'symbol' || tick.type === 'kline') folding.isRolledChanged = true;
    this.changed.add(folding);
  }

  /** The closed candles since the last call, then the open candle and the state of each symbol that changed. */
  take(): AnyLogRecord[] {
    const records = this.closed;
    this.closed = [];
    for (const folding of this.changed) {
      const { aggregation, partition } = folding;
      const place = partition === undefined ? {} : { partition };
      for (const value of aggregation.live(this.options.intervals)) {
        const timestamp = value.openTime;
        records.push({ topic: OHLCV_LIVE, key: liveKey(value), value, timestamp, ...place });
      }
      if (this.options.restore === undefined) records.push(...stateRecords(folding));
      folding.isRolledChanged = false;
    }
    this.changed.clear();
    return records;
  }

  private event(folding: Folding, event: AggregationEvent): void {
    const { symbol } = folding.aggregation;
    switch (event.type) {
      case 'candle-closed':
        this.counts.closed++;
        this.publish(folding, event.candle);
        if (event.candle.interval === '1m' && event.candle.source === 'trades') {
          this.options.logger.info({ symbol }, `OHLCV: ${ohlcvLine(event.candle)}`);
        }
        break;
      case 'candle-corrected':
        this.counts.corrected++;
        this.publish(folding, event.candle);
        break;
      case 'hole':
        this.counts.holes++;
        this.options.logger.warn({ ...event }, `Trades missing in raw_ticks: ${symbol}`);
        break;
      case 'out-of-reach':
        this.options.logger.warn({ ...event }, `Correction out of reach: ${symbol}`);
        break;
    }
  }

  private publish(folding: Folding, candle: Candle): void {
    if (candle.interval !== '1s') folding.isRolledChanged = true;
    if (!this.intervals.has(candle.interval)) return;
    const { partition } = folding;
    this.closed.push({
      topic: OHLCV[candle.interval],
      key: candle.symbol,
      value: candle,
      timestamp: candle.openTime,
      ...(partition === undefined ? {} : { partition }),
    });
  }
}

/** The line the seed project's users know, with exact numbers. */
export function ohlcvLine(candle: Candle): string {
  const { openTime, open, high, low, close, volume } = candle;
  return `{"time":${openTime},"open":${plain(open)},"high":${plain(high)},"low":${plain(low)},"close":${plain(close)},"volume":${plain(volume)}}`;
}

/** `87648.21000000` → `87648.21`: a JSON number without the zeros that say nothing. */
function plain(value: Decimal): string {
  return formatDecimal(value).replace(/\.?0+$/, '');
}

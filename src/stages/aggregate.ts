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
import type { AnyLogRecord, Log } from '../log/log.ts';
import { liveKey, OHLCV, OHLCV_LIVE, RAW_TICKS } from '../protocol/topics.ts';

/** An open candle is written at most once in this time, in process. */
export const LIVE_UPDATE_MS: DurationMs = 16;
/** How long a poll waits when nothing is due. */
const IDLE_POLL_MS: DurationMs = 1_000;

export interface AggregateOptions {
  readonly log: Log;
  /** What is published; 1s and 1m are folded from trades, the rest rolled up. */
  readonly intervals: readonly Interval[];
  readonly liveUpdateMs?: DurationMs;
  readonly clock: Clock;
  /** A symbol's closed candles to go on from, asked once, with its first record before that is applied. */
  readonly restore: (first: RawTick) => Promise<AggregationSeed | undefined>;
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
  await using consumer = log.consumer({ group: 'aggregate', topics: [RAW_TICKS] });
  const candles = new CandleOutputs(options);
  let liveDueAt = 0;
  while (!signal.aborted) {
    const waitMs = candles.hasChanges() ? Math.max(0, liveDueAt - clock.now()) : IDLE_POLL_MS;
    const records = await consumer.poll({ timeoutMs: waitMs, signal });
    for (const { value } of records) {
      const ready = candles.symbolReady(value);
      if (ready !== undefined) await ready;
      candles.apply(value);
    }
    // The offset waits for the open candles: state may be ahead of it, never behind.
    const isDue = candles.hasClosed() || (candles.hasChanges() && clock.now() >= liveDueAt);
    if (!isDue) continue;
    liveDueAt = clock.now() + liveUpdateMs;
    await consumer.commit(candles.take());
  }
}

/** Every symbol's aggregation, and the records they have for the log. */
class CandleOutputs {
  private readonly options: AggregateOptions;
  private readonly intervals: ReadonlySet<Interval>;
  private readonly symbols = new Map<MarketSymbol, SymbolAggregation>();
  private readonly changed = new Set<SymbolAggregation>();
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

  /** Restores a symbol seen for the first time; undefined for the others. */
  symbolReady(first: RawTick): Promise<void> | undefined {
    return this.symbols.has(symbolOfTick(first)) ? undefined : this.restore(first);
  }

  private async restore(first: RawTick): Promise<void> {
    const symbol = symbolOfTick(first);
    const aggregation = new SymbolAggregation(symbol, (event) => this.event(symbol, event));
    const seed = await this.options.restore(first);
    if (seed !== undefined) aggregation.restore(seed);
    this.symbols.set(symbol, aggregation);
  }

  apply(tick: RawTick): void {
    const aggregation = this.symbols.get(symbolOfTick(tick));
    if (aggregation === undefined) return;
    const { folded, duplicates, covered } = aggregation.counts;
    aggregation.apply(tick);
    this.counts.trades += aggregation.counts.folded - folded;
    this.counts.duplicates += aggregation.counts.duplicates - duplicates;
    this.counts.covered += aggregation.counts.covered - covered;
    this.changed.add(aggregation);
  }

  /** The closed candles since the last call, then the open candle of each key that changed. */
  take(): AnyLogRecord[] {
    const records = this.closed;
    this.closed = [];
    for (const aggregation of this.changed) {
      for (const value of aggregation.live(this.options.intervals)) {
        const timestamp = value.openTime;
        records.push({ topic: OHLCV_LIVE, key: liveKey(value), value, timestamp });
      }
    }
    this.changed.clear();
    return records;
  }

  private event(symbol: MarketSymbol, event: AggregationEvent): void {
    switch (event.type) {
      case 'candle-closed':
        this.counts.closed++;
        this.publish(event.candle);
        if (event.candle.interval === '1m' && event.candle.source === 'trades') {
          this.options.logger.info({ symbol }, `OHLCV: ${ohlcvLine(event.candle)}`);
        }
        break;
      case 'candle-corrected':
        this.counts.corrected++;
        this.publish(event.candle);
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

  private publish(candle: Candle): void {
    if (!this.intervals.has(candle.interval)) return;
    this.closed.push({
      topic: OHLCV[candle.interval],
      key: candle.symbol,
      value: candle,
      timestamp: candle.openTime,
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

// What Prometheus is told. Counts the market's events in plain numbers; formats only when asked.
import { Counter, collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import { VERDICTS, type Verdict } from '../core/audit/audit.ts';
import type { Interval } from '../core/market/interval.ts';
import type { Clock, DurationMs } from '../core/market/time.ts';
import type { LiveMarket } from '../stages/live-market.ts';
import type { FeedNews } from './feed-news.ts';
import type { StageNumbers } from './http/api-v1.ts';

export interface MetricsOptions {
  readonly registry: Registry;
  readonly market: LiveMarket;
  readonly news: FeedNews;
  readonly clock: Clock;
  readonly version: string;
  readonly stages: () => StageNumbers;
  /** Open WebSockets by protocol. */
  readonly connections: () => Readonly<Record<string, number>>;
}

/** Registers everything in `registry` and counts until disposed of. */
export function registerMetrics(options: MetricsOptions): Disposable {
  const { registry } = options;
  if (registry.getSingleMetric('process_cpu_user_seconds_total') === undefined) {
    collectDefaultMetrics({ register: registry });
  }
  const counts = countMarket(options);
  registerCounters(options, counts);
  registerGauges(options, counts);
  return counts;
}

interface MarketCounts extends Disposable {
  trades: number;
  readonly closed: Map<Interval, number>;
  readonly corrected: Map<Interval, number>;
  readonly verdicts: Map<Verdict, number>;
  liveDelayMs: DurationMs | undefined;
}

function countMarket({ market, clock }: MetricsOptions): MarketCounts {
  const stop = market.subscribe((event) => {
    if (event.type === 'trade') {
      counts.trades += 1;
      const exchangeTime = clock.now() + (market.status()?.clockOffsetMs ?? 0);
      counts.liveDelayMs = exchangeTime - event.trade.eventTime;
    } else if (event.type === 'closed') {
      const { interval, revision } = event.candle;
      const byInterval = revision === 0 ? counts.closed : counts.corrected;
      byInterval.set(interval, (byInterval.get(interval) ?? 0) + 1);
    } else if (event.type === 'audit') {
      const { verdict } = event.audit;
      counts.verdicts.set(verdict, (counts.verdicts.get(verdict) ?? 0) + 1);
    }
  });
  const counts: MarketCounts = {
    trades: 0,
    closed: new Map(),
    corrected: new Map(),
    verdicts: new Map(),
    liveDelayMs: undefined,
    [Symbol.dispose]: stop,
  };
  return counts;
}

interface MetricText<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
}

function registerCounters(
  { registry, stages }: Pick<MetricsOptions, 'registry' | 'stages'>,
  counts: MarketCounts,
): void {
  const counter = <Label extends string>(
    text: MetricText<Label>,
    read: (to: Counter<Label>) => void,
  ): void => {
    new Counter({
      ...text,
      registers: [registry],
      collect() {
        this.reset();
        read(this);
      },
    });
  };
  const perInterval =
    (byInterval: ReadonlyMap<Interval, number>) =>
    (to: Counter<'interval'>): void => {
      for (const [interval, count] of byInterval) to.inc({ interval }, count);
    };
  counter(
    {
      name: 'wickstream_trades_total',
      help: 'Aggregate trades read from raw_ticks',
      labelNames: [],
    },
    (to) => to.inc(counts.trades),
  );
  counter(
    {
      name: 'wickstream_candles_closed_total',
      help: 'Candles closed for the first time',
      labelNames: ['interval'],
    },
    perInterval(counts.closed),
  );
  counter(
    {
      name: 'wickstream_candle_corrections_total',
      help: 'Closed candles published again with a higher revision',
      labelNames: ['interval'],
    },
    perInterval(counts.corrected),
  );
  counter(
    {
      name: 'wickstream_audits_seen_total',
      help: 'Verdicts on closed 1m candles read from audits',
      labelNames: ['verdict'],
    },
    (to) => {
      for (const [verdict, count] of counts.verdicts) to.inc({ verdict }, count);
    },
  );
  counter(
    {
      name: 'wickstream_audits_total',
      help: 'Verdicts on closed 1m candles that the audit of this process gave',
      labelNames: ['verdict'],
    },
    (to) => {
      const numbers = stages()['audit'] ?? {};
      for (const verdict of VERDICTS) to.inc({ verdict }, numbers[verdict] ?? 0);
    },
  );
}

function registerGauges(options: MetricsOptions, counts: MarketCounts): void {
  const { registry, news, version, stages, connections } = options;
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    read: (to: Gauge<Label>) => void,
  ): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        read(this);
      },
    });
  };
  const delay = 'Age of the newest trade when it was read here, ms on the exchange’s clock';
  gauge('wickstream_live_delay_ms', delay, [], (to) => {
    if (counts.liveDelayMs !== undefined) to.set(counts.liveDelayMs);
  });
  gauge('wickstream_feed_state', '1 for the state the feed is in', ['state'], (to) =>
    to.set({ state: news.view().state }, 1),
  );
  gauge('wickstream_websocket_clients', 'Open WebSocket connections', ['protocol'], (to) => {
    for (const [protocol, count] of Object.entries(connections())) to.set({ protocol }, count);
  });
  gauge('wickstream_store_bytes', 'What the candle store takes on disk', [], (to) => {
    const { storeBytes } = news.view();
    if (storeBytes !== undefined) to.set(storeBytes);
  });
  const depths = 'Numbers of each stage, queue depths among them';
  gauge('wickstream_stage', depths, ['stage', 'number'], (to) => {
    for (const [stage, numbers] of Object.entries(stages())) {
      for (const [number, value] of Object.entries(numbers)) to.set({ stage, number }, value);
    }
  });
  const whose = 'Whose market this is (I10)';
  gauge('wickstream_source_info', whose, ['source', 'kind', 'version'], (to) => {
    const { id, kind } = news.source();
    to.set({ source: id, kind, version }, 1);
  });
}

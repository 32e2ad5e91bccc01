// What Prometheus is told. Counts from the market's events in plain numbers; formats only when asked.
import { Counter, collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { Interval } from '../core/market/interval.ts';
import type { Clock } from '../core/market/time.ts';
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
  readonly connections: () => Readonly<Record<string, number>>;
}

/** Registers everything in `registry` and counts until disposed of. */
export function registerMetrics(options: MetricsOptions): Disposable {
  const { registry, market, clock, news } = options;
  if (registry.getSingleMetric('process_cpu_user_seconds_total') === undefined) {
    collectDefaultMetrics({ register: registry });
  }
  const closed = new Map<Interval, number>();
  const corrected = new Map<Interval, number>();
  let trades = 0;
  let liveDelayMs: number | undefined;
  const stop = market.subscribe((event) => {
    if (event.type === 'trade') {
      trades += 1;
      liveDelayMs = clock.now() + (market.status()?.clockOffsetMs ?? 0) - event.trade.eventTime;
    } else if (event.type === 'closed') {
      const counts = event.candle.revision === 0 ? closed : corrected;
      counts.set(event.candle.interval, (counts.get(event.candle.interval) ?? 0) + 1);
    }
  });

  const registers = [registry];
  const counter = (name: string, help: string, read: (counter: Counter) => void, labels = ['']) => {
    const labelNames = labels.filter((label) => label !== '');
    return new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        read(this);
      },
    });
  };
  const gauge = (name: string, help: string, labelNames: string[], read: (gauge: Gauge) => void) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        read(this);
      },
    });
  const perInterval = (counts: ReadonlyMap<Interval, number>) => (to: Counter) => {
    for (const [interval, count] of counts) to.inc({ interval }, count);
  };

  counter('wickstream_trades_total', 'Aggregate trades read from raw_ticks', (to) =>
    to.inc(trades),
  );
  counter(
    'wickstream_candles_closed_total',
    'Candles closed for the first time',
    perInterval(closed),
    ['interval'],
  );
  counter(
    'wickstream_candle_corrections_total',
    'Closed candles published again with a higher revision',
    perInterval(corrected),
    ['interval'],
  );
  gauge(
    'wickstream_live_delay_ms',
    'Age of the newest trade when it was read here, on the exchange clock',
    [],
    (to) => {
      if (liveDelayMs !== undefined) to.set(liveDelayMs);
    },
  );
  gauge('wickstream_feed_state', '1 for the state the feed is in', ['state'], (to) =>
    to.set({ state: news.view().state }, 1),
  );
  gauge('wickstream_websocket_clients', 'Open WebSocket connections', ['protocol'], (to) => {
    for (const [protocol, count] of Object.entries(options.connections())) {
      to.set({ protocol }, count);
    }
  });
  gauge(
    'wickstream_stage',
    'Numbers of each stage, queue depths among them',
    ['stage', 'number'],
    (to) => {
      for (const [stage, numbers] of Object.entries(options.stages())) {
        for (const [number, value] of Object.entries(numbers)) to.set({ stage, number }, value);
      }
    },
  );
  gauge(
    'wickstream_source_info',
    'Whose market this is (I10)',
    ['source', 'kind', 'version'],
    (to) => {
      const { id, kind } = news.source();
      to.set({ source: id, kind, version: options.version }, 1);
    },
  );
  return { [Symbol.dispose]: stop };
}

// One life of the product: its own stages on the memory log, its feed on the simulated network, a client of its @kline streams. Notes what it publishes.
import { pino } from 'pino';
import { openStages, type Stages } from '../../src/app/run-stages.ts';
import type { Audit } from '../../src/core/audit/audit.ts';
import type { Candle } from '../../src/core/market/candle.ts';
import { INTERVALS } from '../../src/core/market/interval.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { binanceFeed } from '../../src/feed/binance/feed.ts';
import type { Log } from '../../src/log/log.ts';
import { AUDITS, OHLCV, RAW_TICKS_DLQ, type Topic } from '../../src/protocol/topics.ts';
import { StreamConnection } from '../../src/server/binance-api/stream-connection.ts';
import { StreamHub } from '../../src/server/binance-api/stream-hub.ts';
import { parseStreamNames } from '../../src/server/binance-api/stream-name.ts';
import { feedNews } from '../../src/server/feed-news.ts';
import type { LiveMarket } from '../../src/stages/live-market.ts';
import { KEEP_SECONDS_MS } from '../../src/stages/persist.ts';
import type { CandleStore } from '../../src/store/candle-store.ts';
import type { Life } from './life.ts';
import type { Plan } from './plan.ts';
import { drawOf } from './random.ts';
import type { SimExchange } from './sim-exchange.ts';
import { createSimNetwork, type SimNetwork } from './sim-transport.ts';
import type { Trace } from './trace.ts';
import type { VirtualTime } from './virtual-time.ts';

const STATUS_SILENCE_MS = 3_000;

export interface SimProduct {
  readonly life: Life;
  readonly market: LiveMarket;
  readonly network: SimNetwork;
  /** Exchange time (ms) of its start. */
  readonly startedAt: number;
  /** Everything on `ohlcv_…`, in order. */
  readonly published: readonly Published[];
  /** The `k` of each frame with `x:true` that its streams sent. */
  readonly closedFrames: readonly ClosedFrame[];
  /** When its feed was live, exchange time (ms), both inclusive. */
  readonly live: readonly { readonly from: number; readonly to: number }[];
  /** Reasons of what went to `raw_ticks.dlq`. */
  readonly rejected: readonly string[];
  /** Every verdict it gave, in order. */
  readonly verdicts: readonly Audit[];
  /** As Ctrl-C does. */
  stop(): Promise<void>;
}

export interface Published {
  readonly at: number;
  readonly candle: Candle;
}

export interface ClosedFrame {
  readonly at: number;
  readonly k: Readonly<Record<string, unknown>>;
}

export interface SimProductOptions {
  readonly plan: Plan;
  readonly life: Life;
  readonly time: VirtualTime;
  readonly exchange: SimExchange;
  readonly store: CandleStore;
  readonly trace: Trace;
  /** A stage has failed: the process would end with this. */
  readonly onFailed: (error: unknown) => void;
}

export function startProduct(options: SimProductOptions): SimProduct {
  const { plan, life, time, exchange, store, trace } = options;
  const draw = drawOf(plan.seed, `life ${life.number}`);
  const network = createSimNetwork({
    life,
    exchange,
    time,
    draw,
    trace,
    latencyMs: plan.latencyMs,
  });
  const note = (what: string) => trace.add(time.now(), `#${life.number} ${what}`);
  const logger = pino(
    { level: 'info', timestamp: false, base: null },
    { write: (line: string) => note(`log ${line.trimEnd()}`) },
  );
  const hosts = Array.from({ length: plan.endpoints }, (_, index) => `api-${index + 1}.sim`);
  const feed = binanceFeed({
    restUrls: hosts.map((host) => `https://${host}`),
    webSocketUrls: hosts.map((host) => `wss://${host}`),
    clock: life.clock,
    random: drawOf(plan.seed, `feed ${life.number}`).random,
    logger,
    transport: network,
  });
  const symbols = plan.symbols.map(({ symbol }) => marketSymbol(symbol));
  const stages = openStages({
    symbols,
    intervals: INTERVALS,
    feed,
    store,
    keepSecondsMs: KEEP_SECONDS_MS,
    liveUpdateMs: plan.liveUpdateMs,
    clock: life.clock,
    logger,
  });
  const published: Published[] = [];
  const rejected: string[] = [];
  const live: { readonly from: number; to: number }[] = [];
  stages.market.subscribe((event) => {
    if (event.type !== 'status' || event.status.state !== 'live') return;
    const last = live.at(-1);
    const at = time.now();
    // A status comes every second: a longer silence is a process that stood still.
    if (last !== undefined && at - last.to <= STATUS_SILENCE_MS) last.to = at;
    else live.push({ from: at, to: at });
  });
  const closedFrames: ClosedFrame[] = [];
  const topics = INTERVALS.map((interval) => OHLCV[interval]);
  follow(stages.log, topics, (candle) => {
    published.push({ at: time.now(), candle });
    note(`published ${textOf(candle)}`);
  });
  follow(stages.log, [RAW_TICKS_DLQ], ({ reason }) => {
    rejected.push(reason);
    note(`rejected: ${reason}`);
  });
  const verdicts: Audit[] = [];
  follow(stages.log, [AUDITS], (audit) => verdicts.push(audit));
  const hub = listenToKlines(stages, options, (text) => {
    if (!text.includes('"x":true')) return;
    closedFrames.push({ at: time.now(), k: JSON.parse(text).k });
    note(`@kline ${text}`);
  });
  const started = stages.start();
  started.then(({ ended }) => ended).catch(options.onFailed);
  return {
    life,
    market: stages.market,
    network,
    startedAt: time.now(),
    published,
    closedFrames,
    live,
    rejected,
    verdicts,
    async stop() {
      await stages[Symbol.asyncDispose]();
      hub[Symbol.dispose]();
      await feed[Symbol.asyncDispose]();
    },
  };
}

/** Hands on every value until the log is closed. */
function follow<T>(log: Log, topics: readonly Topic<T>[], onValue: (value: T) => unknown): void {
  const consumer = log.consumer({ group: 'simulation', topics });
  const { signal } = new AbortController();
  const read = async (): Promise<void> => {
    for (;;) {
      const records = await consumer.poll({ timeoutMs: 60_000, signal });
      for (const { value } of records) onValue(value);
      await consumer.commit([]);
    }
  };
  // It rejects when the log is closed: that is its end.
  read().catch(() => undefined);
}

/** A client of our `@kline` streams, from the first moment on, that reads whatever is sent at once. */
function listenToKlines(
  { market }: Stages,
  { life, plan }: SimProductOptions,
  onText: (text: string) => void,
): StreamHub {
  const { clock } = life;
  const hub = new StreamHub({ market, news: feedNews({ market, clock }), clock });
  const socket = { bufferedAmount: 0, send: onText, close() {} };
  const connection = new StreamConnection(socket, clock, false);
  const symbols = market.symbols();
  const names = symbols.flatMap((symbol) =>
    plan.klineIntervals.map((interval) => `${symbol.toLowerCase()}@kline_${interval}`),
  );
  const streams = parseStreamNames(names, { symbols, intervals: INTERVALS });
  if (typeof streams === 'string') throw new Error(streams);
  hub.add(connection);
  for (const stream of streams) hub.subscribe(connection, stream);
  return hub;
}

/** One line with every field that counts. */
export function textOf(candle: Candle): string {
  const { symbol, interval, openTime, open, high, low, close, volume, quoteVolume } = candle;
  const { trades, takerBuyVolume, takerBuyQuoteVolume, firstTradeId, lastTradeId } = candle;
  const { revision, complete, source, reason } = candle;
  return (
    `${symbol} ${interval} ${new Date(openTime).toISOString()} r${revision} ${complete ? '' : 'INCOMPLETE '}` +
    `${source}${reason === undefined ? '' : ` ${reason}`} o${open} h${high} l${low} c${close} v${volume} q${quoteVolume} ` +
    `n${trades} V${takerBuyVolume} Q${takerBuyQuoteVolume} f${firstTradeId} l${lastTradeId}`
  );
}

// An ingest process for the chaos run: the real stage and log, a generated market for a feed. Killed and started again, it goes on from the topics.
// Arguments: servers, prefix, the market's shape as JSON, records a second.
import { pino } from 'pino';
import { readTail } from '../../../src/app/read-tail.ts';
import { systemClock } from '../../../src/app/system-clock.ts';
import type { RawTick } from '../../../src/core/market/raw-tick.ts';
import { timeOfTick } from '../../../src/core/market/raw-tick.ts';
import { marketSymbol } from '../../../src/core/market/symbol.ts';
import { addMs, type EpochMs, epochMs, MINUTE_MS } from '../../../src/core/market/time.ts';
import type { FeedEvent, MarketFeed, StartPoint } from '../../../src/feed/market-feed.ts';
import { kafkaLog } from '../../../src/log/kafka/kafka-log.ts';
import { OHLCV } from '../../../src/protocol/topics.ts';
import { ingest } from '../../../src/stages/ingest.ts';
import { endOf, type MarketShape, symbolNames, ticksOf } from './market.ts';

const [servers = '', prefix = '', shapeText = '', rateText = ''] = process.argv.slice(2);
const shape = JSON.parse(shapeText) as MarketShape;
const perSecond = Number(rateText);
const CHUNK_MS = 50;

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
const { signal } = stop;
const clock = systemClock;
const logger = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }));

/** Each symbol from the minute after the last one published, all symbols at one pace. */
function generatedFeed(): MarketFeed {
  return {
    source: { kind: 'simulated', seed: shape.seed },
    clockOffsetMs: 0,
    ask: () => undefined,
    add: () => undefined,
    remove: () => undefined,
    async *stream(starts: readonly StartPoint[], ending: AbortSignal): AsyncGenerator<FeedEvent> {
      const lanes = starts.map(({ symbol, resumeFrom }) => {
        const index = symbolNames(shape.symbols).indexOf(symbol);
        const [start, ...ticks] = ticksOf(shape, index);
        const left = ticks.filter((tick) => timeOfTick(tick) >= (resumeFrom ?? 0));
        return start === undefined ? [] : [start, ...left];
      });
      // Those furthest back go first: the market has one time.
      const all: RawTick[] = lanes.flat().sort((a, b) => timeOfTick(a) - timeOfTick(b));
      const chunk = Math.ceil((perSecond * CHUNK_MS) / 1_000);
      for (let at = 0; at < all.length && !ending.aborted; at += chunk) {
        yield { type: 'ticks', ticks: all.slice(at, at + chunk) };
        await clock.sleep(CHUNK_MS, ending);
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

await using log = kafkaLog({
  servers: [servers],
  topicPrefix: prefix,
  consumerGroup: `${prefix}ingest`,
  clock,
  logger,
});
const ends = new Map<string, EpochMs>();
for (const { value } of await readTail({ log, topic: OHLCV['1m'], since: undefined, signal })) {
  const end = addMs(value.openTime, MINUTE_MS);
  if (end > (ends.get(value.symbol) ?? 0)) ends.set(value.symbol, end);
}
const starts = symbolNames(shape.symbols).map((name) => {
  const symbol = marketSymbol(name);
  return { symbol, resumeFrom: ends.get(name) };
});
const isOver = starts.every(({ resumeFrom }) => resumeFrom === epochMs(endOf(shape)));
if (!isOver) {
  // The stage goes on until it is told to end, as that of a live market does.
  await ingest({
    feed: generatedFeed(),
    log,
    starts,
    clock,
    logger,
    onEnded: () => undefined,
    signal,
  });
}

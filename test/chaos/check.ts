// Compares what the product stored and streamed with what is true. Says each difference; decides nothing about the run.
import { storePath } from '../../src/app/open-store.ts';
import type { Candle } from '../../src/core/market/candle.ts';
import { marketSymbol } from '../../src/core/market/symbol.ts';
import { epochMs } from '../../src/core/market/time.ts';
import { binanceSource } from '../../src/feed/binance/feed.ts';
import type { CandleStore } from '../../src/store/candle-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { asTruth } from '../candles/candle-run.ts';
import { INTERVALS, type Interval, nextOpenTime } from '../fake-exchange/calendar.ts';
import type { FakeExchange } from '../fake-exchange/fake-exchange.ts';
import type { TruthCandle } from '../fake-exchange/truth.ts';
import type { KlineWatch } from './kline-watch.ts';

/** Of each interval and symbol the newest so many are compared: the product fetches 1,000 of the past. */
const COMPARED_MAX = 900;

export type Truth = ReadonlyMap<string, ReadonlyMap<number, TruthCandle>>;

const keyOf = (symbol: string, interval: Interval) => `${symbol} ${interval}`;

/** Every closed candle that ends before `to`, by symbol and interval, by open time. */
export function truthOf(exchange: FakeExchange, symbols: readonly string[], to: number): Truth {
  const truth = new Map<string, ReadonlyMap<number, TruthCandle>>();
  for (const symbol of symbols) {
    for (const interval of INTERVALS) {
      const range = { endTime: to - 1, limit: COMPARED_MAX };
      const candles = exchange.market
        .candles(symbol, interval, range, exchange.now())
        .filter(({ closeTime }) => closeTime < to);
      truth.set(keyOf(symbol, interval), new Map(candles.map((each) => [each.openTime, each])));
    }
  }
  return truth;
}

export interface Comparison {
  readonly compared: number;
  readonly corrected: number;
  /** Minutes folded from trades that the product itself has compared with the exchange's candle. */
  readonly audited: number;
  readonly differences: readonly string[];
}

/** Reads the store beside the product, or after it. */
export async function compareStore(
  exchange: FakeExchange,
  dataDir: string,
  truth: Truth,
): Promise<Comparison> {
  const source = binanceSource({ restUrls: [exchange.restUrl], webSocketUrls: [exchange.wsUrl] });
  await using store = await openSqliteStore({
    path: storePath(dataDir, source),
    source,
    readOnly: true,
  });
  const differences: string[] = [];
  let [compared, corrected, audited] = [0, 0, 0];
  for (const [key, candles] of truth) {
    const [symbol = '', interval = ''] = key.split(' ');
    const [first, last] = [[...candles.keys()][0] ?? 0, [...candles.keys()].at(-1) ?? 0];
    const stored = await store.read({
      symbol: marketSymbol(symbol),
      interval: interval as Interval,
      from: epochMs(first),
      to: epochMs(last),
      limit: COMPARED_MAX * 2,
      take: 'first',
    });
    const missing = new Map(candles);
    for (const candle of stored) {
      const wanted = missing.get(candle.openTime);
      missing.delete(candle.openTime);
      compared += 1;
      if (candle.revision > 0) corrected += 1;
      const name = `${key} ${iso(candle.openTime)}`;
      if (wanted === undefined) differences.push(`${name}: stored, and the exchange has none`);
      else differences.push(...fieldFaults(name, asTruth(candle), wanted));
      if (!candle.complete) differences.push(`${name}: not complete`);
    }
    differences.push(...[...missing.keys()].map((time) => `${key} ${iso(time)}: missing`));
    if (interval !== '1m') continue;
    const folded = stored.filter(({ source }) => source === 'trades');
    audited += folded.length;
    differences.push(...(await auditFaults(store, folded)));
  }
  return { compared, corrected, audited, differences };
}

/** Each minute folded from trades is to be found equal to the exchange's own, at once or after a repair. */
async function auditFaults(store: CandleStore, folded: readonly Candle[]): Promise<string[]> {
  const [first, last] = [folded[0], folded.at(-1)];
  if (first === undefined || last === undefined) return [];
  const audits = await store.readAudits({
    symbol: first.symbol,
    from: first.openTime,
    to: last.openTime,
    limit: COMPARED_MAX * 2,
    take: 'first',
  });
  const verdicts = new Map(audits.map((each) => [each.openTime, each]));
  return folded.flatMap(({ symbol, openTime, revision }) => {
    const audit = verdicts.get(openTime);
    const isGood = audit?.verdict === 'verified' || audit?.verdict === 'repaired';
    // What was said of another revision proves nothing of this one.
    if (isGood && audit.revision === revision) return [];
    const said = `${audit?.verdict} of revision ${audit?.revision} (${audit?.reason})`;
    return [`${symbol} 1m ${iso(openTime)}: audit says ${said}, revision ${revision} is stored`];
  });
}

function fieldFaults(name: string, ours: TruthCandle, wanted: TruthCandle): string[] {
  return (Object.keys(wanted) as (keyof TruthCandle)[])
    .filter((field) => ours[field] !== undefined && ours[field] !== wanted[field])
    .map((field) => `${name}: ${field} is ${ours[field]}, the truth is ${wanted[field]}`);
}

/** What closes before a symbol has joined is its past, and not streamed. */
const JOINED_MS_MAX = 30_000;

const FRAME_FIELDS: Readonly<Record<string, keyof TruthCandle>> = {
  T: 'closeTime',
  o: 'open',
  h: 'high',
  l: 'low',
  c: 'close',
  v: 'volume',
  q: 'quoteVolume',
  n: 'trades',
  V: 'takerBuyVolume',
  Q: 'takerBuyQuoteVolume',
  f: 'firstTradeId',
  L: 'lastTradeId',
};

type Watched = Omit<KlineWatch, 'end'>;

/**
 * What is wrong with the closed frames of one life: each window once, in order, without a hole, from soon after the
 * streams were subscribed to; in a last life up to `to`.
 */
export function frameFaults(watch: Watched, truth: Truth, to: number, isLast: boolean): string[] {
  const frames = Map.groupBy(watch.frames, (each) => keyOf(each.symbol, each.interval));
  const faults = [...truth].flatMap(([key, candles]) => {
    const all = frames.get(key) ?? [];
    const sent = all.filter(({ openTime }) => candles.has(openTime));
    const from = Math.min(sent[0]?.openTime ?? Infinity, watch.openedAt + JOINED_MS_MAX);
    const wanted = [...candles.values()].filter(
      ({ openTime, closeTime }) => openTime >= from && closeTime < to,
    );
    const until = isLast ? wanted.length : untilLast(wanted, sent.at(-1)?.openTime);
    return [
      ...countFaults(key, sent, wanted.slice(0, until)),
      ...sent.flatMap(({ openTime, k }) => frameFieldFaults(key, k, candles.get(openTime))),
      ...orderFaults(key, sent),
      ...inventedFaults(key, all, candles),
    ];
  });
  if (watch.cut !== undefined) faults.push(`our kline streams were cut: ${watch.cut}`);
  return faults;
}

function countFaults(
  key: string,
  sent: Watched['frames'],
  expected: readonly TruthCandle[],
): string[] {
  const times = new Map<number, number>();
  for (const { openTime } of sent) times.set(openTime, (times.get(openTime) ?? 0) + 1);
  const missing = expected.filter(({ openTime }) => !times.has(openTime));
  const repeated = [...times].filter(([, count]) => count > 1);
  return [
    ...missing.map(({ openTime }) => `${key} ${iso(openTime)}: no x:true`),
    ...repeated.map(([openTime, count]) => `${key} ${iso(openTime)}: x:true ${count} times`),
  ];
}

/** Windows between the oldest and the newest true one that the exchange has not. */
function inventedFaults(
  key: string,
  sent: Watched['frames'],
  candles: ReadonlyMap<number, TruthCandle>,
): string[] {
  const times = [...candles.keys()];
  const [first = Infinity, last = -Infinity] = [times[0], times.at(-1)];
  return sent
    .filter(({ openTime }) => openTime >= first && openTime <= last && !candles.has(openTime))
    .map(({ openTime }) => `${key} ${iso(openTime)}: x:true, and the exchange has none`);
}

function untilLast(wanted: readonly TruthCandle[], last: number | undefined): number {
  return last === undefined ? 0 : wanted.findLastIndex(({ openTime }) => openTime <= last) + 1;
}

function frameFieldFaults(
  key: string,
  k: Readonly<Record<string, unknown>>,
  wanted: TruthCandle | undefined,
): string[] {
  if (wanted === undefined) return [];
  return Object.entries(FRAME_FIELDS)
    .filter(([name, field]) => k[name] !== wanted[field] && !isUnknownId(name, k))
    .map(([name, field]) => {
      const time = iso(wanted.openTime);
      return `${key} ${time}: x:true has ${name} ${k[name]}, the truth is ${wanted[field]}`;
    });
}

/** A candle made of klines by REST has trades, and no ids: the event has −1 for them. */
function isUnknownId(name: string, k: Readonly<Record<string, unknown>>): boolean {
  return (name === 'f' || name === 'L') && k[name] === -1 && k['n'] !== 0;
}

function orderFaults(key: string, sent: Watched['frames']): string[] {
  return sent.flatMap(({ openTime, interval }, index) => {
    const before = sent[index - 1];
    if (before === undefined || nextOpenTime(interval, before.openTime) === openTime) return [];
    return [`${key}: x:true of ${iso(openTime)} came after that of ${iso(before.openTime)}`];
  });
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

// Whether a run ended well: store, log, streams and model against the truth. Says exactly what may be missing; everything else is a failure.
import { type Candle, sameCandleValues } from '../../src/core/market/candle.ts';
import { INTERVALS, type Interval } from '../../src/core/market/interval.ts';
import { type MarketSymbol, marketSymbol } from '../../src/core/market/symbol.ts';
import type { LiveMarket } from '../../src/stages/live-market.ts';
import type { CandleStore } from '../../src/store/candle-store.ts';
import { MINUTE, nextOpenTime, SECOND } from '../fake-exchange/calendar.ts';
import { differenceOf, iso, shortened, TOLD_MAX } from './difference.ts';
import { judgeClaims } from './judge-claims.ts';
import { judgeFrames } from './judge-frames.ts';
import { judgeLog } from './judge-log.ts';
import { judgeSources } from './judge-sources.ts';
import type { Plan } from './plan.ts';
import type { SimExchange } from './sim-exchange.ts';
import { type SimProduct, textOf } from './sim-product.ts';
import type { SimMarket } from './tape.ts';
import { createTruth, type Truth } from './truth.ts';

export interface Verdict {
  readonly plan: Plan;
  readonly market: SimMarket;
  readonly exchange: SimExchange;
  readonly store: CandleStore;
  readonly products: readonly SimProduct[];
}

/** A window that ended so long ago is in the store: 2.4 s for its kline, the rest for the way. */
const STORED_MS_MAX = 8 * SECOND;

/** A start brings the newest 1,000 windows of each interval. */
const HISTORY_WINDOWS = 900;

const ALL = { limit: Number.MAX_SAFE_INTEGER, take: 'first' } as const;

export async function judge(verdict: Verdict): Promise<string[]> {
  const { plan, exchange, products } = verdict;
  const failures: string[] = [];
  const truth = createTruth(verdict.market, exchange.market, plan);
  for (const { symbol } of plan.symbols) {
    for (const interval of INTERVALS) {
      failures.push(...(await judgeStore(verdict, truth, symbol, interval)));
    }
    failures.push(...(await judgeSymbol(verdict, symbol)));
  }
  for (const product of products) {
    failures.push(
      ...judgeLog(product),
      ...judgeClaims(product, truth),
      ...judgeFrames(product, truth, plan),
    );
  }
  failures.push(...(await judgeModel(verdict, truth)));
  for (const { type, time, detail } of exchange.breaches.slice(0, TOLD_MAX)) {
    failures.push(`Limit broken: ${type} at ${iso(time)}, ${detail}`);
  }
  return failures;
}

async function judgeSymbol({ plan, store, products }: Verdict, name: string): Promise<string[]> {
  const symbol = marketSymbol(name);
  const minutes = await store.read({ ...ALL, symbol, interval: '1m' });
  return judgeSources(plan, products, minutes, await store.readAudits({ ...ALL, symbol }));
}

async function judgeStore(
  { plan, store }: Verdict,
  truth: Truth,
  name: string,
  interval: Interval,
): Promise<string[]> {
  const symbol = marketSymbol(name);
  const limit = Number.MAX_SAFE_INTEGER;
  const rows = await store.read({ symbol, interval, limit, take: 'first' });
  const minutes = await store.read({ symbol, interval: '1m', limit, take: 'first' });
  const folded = new Set(
    minutes.filter(({ source }) => source === 'trades').map(({ openTime }) => Number(openTime)),
  );
  const failures: string[] = [];
  const held = new Map(rows.map((candle) => [Number(candle.openTime), candle]));
  for (const expected of truth.candles(name, interval)) {
    const { openTime } = expected;
    const candle = held.get(openTime);
    held.delete(openTime);
    if (candle !== undefined) {
      const difference = differenceOf(candle, expected);
      if (difference !== undefined) failures.push(`Stored wrong: ${textOf(candle)}: ${difference}`);
      continue;
    }
    if (!mustBeStored(plan, interval, openTime, folded)) continue;
    failures.push(`Not stored: ${name} ${interval} ${iso(openTime)}`);
  }
  for (const candle of held.values()) {
    failures.push(`Stored, but the exchange has none: ${textOf(candle)}`);
  }
  return shortened(failures);
}

/** Seconds are folded with their minute's trades; of minutes from klines only the newest of the past are fetched. */
function mustBeStored(
  plan: Plan,
  interval: Interval,
  openTime: number,
  folded: ReadonlySet<number>,
): boolean {
  const end = nextOpenTime(interval, openTime);
  if (end > plan.end - STORED_MS_MAX) return false;
  if (interval === '1s') {
    const minute = openTime - (openTime % MINUTE);
    return folded.has(minute) && minute + MINUTE <= plan.end - STORED_MS_MAX;
  }
  return openTime >= plan.tapeFrom - HISTORY_WINDOWS * (end - openTime);
}

/** What the screen would show at the end: the newest process's model against store and truth. */
async function judgeModel(verdict: Verdict, truth: Truth): Promise<string[]> {
  const { plan, store, products } = verdict;
  const product = products.at(-1);
  if (product === undefined || !product.life.isAlive()) return ['No process runs at the end'];
  const { market } = product;
  const failures: string[] = [];
  const status = market.status();
  if (status?.state !== 'live' || Object.keys(status.symbols).length > 0) {
    failures.push(`Not live at the end: ${JSON.stringify(status)}`);
  }
  for (const { symbol } of plan.symbols) {
    for (const interval of INTERVALS) {
      failures.push(...(await judgeTail(market, store, marketSymbol(symbol), interval)));
      failures.push(...judgeOpen(verdict, market, truth, marketSymbol(symbol), interval));
    }
  }
  return shortened(failures);
}

async function judgeTail(
  market: LiveMarket,
  store: CandleStore,
  symbol: MarketSymbol,
  interval: Interval,
): Promise<string[]> {
  const tail = market.closedTail(symbol, interval);
  const from = tail[0]?.openTime;
  if (from === undefined) return [];
  const limit = Number.MAX_SAFE_INTEGER;
  const rows = await store.read({ symbol, interval, from, limit, take: 'first' });
  const stored = new Map(rows.map((candle) => [candle.openTime, candle]));
  return tail.flatMap((candle) => {
    const other = stored.get(candle.openTime);
    if (other !== undefined && isSame(candle, other)) return [];
    const text = other === undefined ? 'nothing' : textOf(other);
    return [`Model and store differ: ${textOf(candle)} and ${text}`];
  });
}

/** History by REST and what is put together from minutes may both be a window's first state: only one of them knows the ids. */
function isSame(candle: Candle, other: Candle): boolean {
  const isAsFar = candle.revision === other.revision && candle.complete === other.complete;
  return isAsFar && sameCandleValues(candle, other);
}

/** A second stays open until something comes after it: not compared. */
function judgeOpen(
  { plan }: Verdict,
  market: LiveMarket,
  truth: Truth,
  symbol: MarketSymbol,
  interval: Interval,
): string[] {
  const expected = truth.open(symbol, interval);
  // Just after its end the window before may still be the open one.
  const sinceEnd = plan.end - (expected?.openTime ?? 0);
  if (interval === '1s' || expected === undefined || sinceEnd < STORED_MS_MAX) return [];
  const live = market.live(symbol, interval);
  const difference = live === undefined ? 'there is none' : differenceOf(live, expected);
  return difference === undefined ? [] : [`Open ${symbol} ${interval} candle: ${difference}`];
}

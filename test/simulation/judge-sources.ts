// How the candles came about: numbers that are right may still have been got the wrong way. Klines stand in for trades only after a long
// absence, and repairs are for what REST would not say in time.
import type { Audit } from '../../src/core/audit/audit.ts';
import type { Candle } from '../../src/core/market/candle.ts';
import { MINUTE } from '../fake-exchange/calendar.ts';
import { shortened } from './difference.ts';
import type { FaultName } from './fault-kinds.ts';
import type { Plan } from './plan.ts';
import { type SimProduct, textOf } from './sim-product.ts';

/** So long may the product be away and still fetch every trade: 15 minutes, less the minute it begins with and the way there. */
const AWAY_MS_MIN = 13 * MINUTE;

/**
 * While these last nothing new is stored, nor for so long after (ms): a store that failed is asked again after 10 s at most; after the
 * exchange's own outage a whole minute has to be over.
 */
const NOTHING_STORED: Partial<Record<FaultName, number>> = {
  'store-fails': 10_000,
  outage: MINUTE,
};

/** With one of these REST may leave a hole unanswered for a minute: it is passed over, told, and repaired. */
const HOLES: ReadonlySet<FaultName> = new Set<FaultName>([
  'rest-429',
  'rest-418',
  'rest-500',
  'rest-403',
  'rest-html',
  'rest-hangs',
  'rest-refused',
  'rest-aborted',
  'rest-slow',
  'rest-lag',
  'slow-network',
  'outage',
  // Half of what was asked is answered, as if that were all.
  'rest-short-pages',
]);

/** A verdict takes two equal answers of REST where the exchange's frame was lost, and the settling before that. */
const VERDICT_MS_MAX = 5 * MINUTE;

export function judgeSources(
  plan: Plan,
  products: readonly SimProduct[],
  minutes: readonly Candle[],
  audits: readonly Audit[],
): string[] {
  return shortened([
    ...judgeKlines(plan, products, minutes),
    ...judgeVerdicts(plan, minutes, audits),
    ...products.flatMap((product) => judgeHoles(plan, product)),
  ]);
}

function judgeKlines(
  plan: Plan,
  products: readonly SimProduct[],
  minutes: readonly Candle[],
): string[] {
  // A short page says less of a start's minute than its kline: the minute is left to that.
  if (plan.kinds.has('rest-short-pages')) return [];
  const away = absences(plan, products);
  const isExcused = (openTime: number) =>
    away.some(([from, to]) => openTime + MINUTE > from - MINUTE && openTime < to + MINUTE);
  return minutes
    .filter(({ source, openTime }) => source === 'klines' && openTime >= plan.start)
    .filter(({ openTime }) => !isExcused(openTime))
    .map((candle) => `From klines, though trades could be had: ${textOf(candle)}`);
}

/** Times in which no process was live, or none had anything new stored, for so long that trades need not be fetched. */
function absences(plan: Plan, products: readonly SimProduct[]): [from: number, to: number][] {
  const live = products.flatMap((product) => product.live);
  const ends = [plan.start, ...products.flatMap((product) => endsOf(plan, product))];
  const begins = [...live.map(({ from }) => from), plan.end];
  return ends
    .map((from, index): [number, number] => [from, begins[index] ?? plan.end])
    .filter(([from, to]) => to - from >= AWAY_MS_MIN);
}

/** The next process goes on from what is stored: where nothing was at this one's end, it is from the begin of that. */
function endsOf({ episodes }: Plan, { live }: SimProduct): number[] {
  const ends = live.map(({ to }) => to);
  const end = ends.pop();
  if (end === undefined) return [];
  const before = episodes.filter(({ kind, at, durationMs }) => {
    const after = NOTHING_STORED[kind];
    return after !== undefined && at <= end && end <= at + durationMs + after;
  });
  return [...ends, Math.min(end, ...before.map(({ at }) => at))];
}

/** Every minute folded from trades is proven in the end. */
function judgeVerdicts(plan: Plan, minutes: readonly Candle[], audits: readonly Audit[]): string[] {
  const verdicts = new Map(audits.map((audit) => [audit.openTime, audit]));
  return minutes
    .filter(({ source, openTime }) => source === 'trades' && openTime >= plan.start)
    .filter(({ openTime }) => openTime + MINUTE <= plan.end - VERDICT_MS_MAX)
    .flatMap((candle) => {
      const audit = verdicts.get(candle.openTime);
      const isGood = audit?.verdict === 'verified' || audit?.verdict === 'repaired';
      // What was said of another revision proves nothing of this one.
      if (isGood && audit.revision === candle.revision) return [];
      const said = audit && `${audit.verdict} as r${audit.revision}`;
      return [`Not proven, but ${said ?? 'without a verdict'}: ${textOf(candle)}`];
    });
}

function judgeHoles(plan: Plan, { life, published }: SimProduct): string[] {
  if ([...plan.kinds].some((kind) => HOLES.has(kind))) return [];
  return published
    .filter(({ candle }) => !candle.complete || candle.reason === 'repair')
    .map(({ candle }) => `Process ${life.number} left a hole: ${textOf(candle)}`);
}

// Which stored minutes are still owed a verdict: folded from trades without one, or known to lack trades. Reads in small steps; decides nothing else.
import { setImmediate } from 'node:timers/promises';
import type { Candle } from '../../core/market/candle.ts';
import type { MarketSymbol } from '../../core/market/symbol.ts';
import { addMs, type EpochMs, HOUR_MS, MINUTE_MS } from '../../core/market/time.ts';
import type { CandleStore } from '../../store/candle-store.ts';

/** How far back the first search of a symbol goes: a day, and an hour of slack. Older minutes are `verify`'s business. */
export const FIRST_SEARCH_HOURS = 25;
/** Later ones only look for what was lost meanwhile. */
export const SEARCH_HOURS = 2;
const HOUR_MINUTES = 60;

/**
 * Minutes of the newest hours in the store, hour by hour. An hour whose 60 verdicts are all good is not read.
 * @throws whatever the store throws.
 */
export async function* findOpenMinutes(options: {
  readonly store: CandleStore;
  readonly symbol: MarketSymbol;
  readonly isFirst: boolean;
}): AsyncGenerator<readonly Candle[], void, undefined> {
  const { store, symbol, isFirst } = options;
  const newest = await store.lastOpenTime(symbol, '1m');
  if (newest === undefined) return;
  const hours = isFirst ? FIRST_SEARCH_HOURS : SEARCH_HOURS;
  for (let hour = 0; hour < hours; hour++) {
    const to = addMs(newest, -hour * HOUR_MS);
    const from = Math.max(0, to - HOUR_MS + MINUTE_MS) as EpochMs;
    const range = { symbol, from, to };
    const { verified, repaired } = await store.countAudits(range);
    if (verified + repaired >= HOUR_MINUTES) continue;
    const page = { ...range, limit: HOUR_MINUTES, take: 'first' } as const;
    const candles = await store.read({ ...page, interval: '1m' });
    const audits = await store.readAudits(page);
    const judged = new Map<EpochMs, number>();
    for (const { openTime, revision, verdict } of audits) {
      // The exchange's candle may be had by now.
      if (verdict !== 'unverified') judged.set(openTime, revision);
    }
    yield candles.filter(
      ({ openTime, source, complete, revision }) =>
        !complete || (source === 'trades' && (judged.get(openTime) ?? -1) < revision),
    );
    // The embedded store is synchronous: sockets and timers have their turn between the hours.
    await setImmediate();
  }
}

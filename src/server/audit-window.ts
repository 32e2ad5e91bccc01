// Verdicts from all who know some: the store, and the newest that it may not have yet. The later of two on one minute counts.
import type { Audit } from '../core/audit/audit.ts';
import type { MarketSymbol } from '../core/market/symbol.ts';
import type { EpochMs } from '../core/market/time.ts';
import type { LiveMarket } from '../stages/live-market.ts';
import type { AuditQuery, CandleStore } from '../store/candle-store.ts';

export type AuditsByMinute = ReadonlyMap<EpochMs, Audit>;

/** One a minute. Later lists count as seen later where two are of the same moment. */
export function mergeAudits(...lists: readonly Iterable<Audit>[]): AuditsByMinute {
  const byMinute = new Map<EpochMs, Audit>();
  for (const list of lists) {
    for (const audit of list) {
      const held = byMinute.get(audit.openTime);
      if (held === undefined || audit.at >= held.at) byMinute.set(audit.openTime, audit);
    }
  }
  return byMinute;
}

/** As the store's `readAudits`, with those it may not have yet. */
export async function readAudits(
  store: CandleStore,
  market: LiveMarket,
  query: AuditQuery,
): Promise<readonly Audit[]> {
  const stored = await store.readAudits(query);
  const { symbol, limit, take, from = 0, to = Number.MAX_SAFE_INTEGER } = query;
  const fresh = market
    .auditTail(symbol)
    .filter(({ openTime }) => openTime >= from && openTime <= to);
  const merged = [...mergeAudits(stored, fresh).values()].sort((a, b) => a.openTime - b.openTime);
  return take === 'first' ? merged.slice(0, limit) : merged.slice(-limit);
}

/** The verdicts on the candles of a page, which are ascending. */
export async function auditsOf(
  store: CandleStore,
  market: LiveMarket,
  symbol: MarketSymbol,
  candles: readonly { readonly openTime: EpochMs }[],
): Promise<AuditsByMinute> {
  const from = candles[0]?.openTime;
  const to = candles.at(-1)?.openTime;
  if (from === undefined || to === undefined) return new Map();
  const query = { symbol, from, to, limit: candles.length, take: 'last' } as const;
  return mergeAudits(await readAudits(store, market, query));
}

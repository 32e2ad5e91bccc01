// Where a symbol's trades begin from a time on: the id of the first, and the first page of them.
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { Clock, DurationMs, EpochMs } from '../../core/market/time.ts';
import type { Rest, TradePage } from './rest.ts';

export interface FirstTrades {
  /** Id of the first trade at or after the time, also where it is still to come; undefined where the symbol never traded. */
  readonly id: number | undefined;
  readonly page: TradePage;
}

const RETRY_MS: DurationMs = 250;

/** Ask when the live stream is open: what comes after the page then comes live. */
export async function findFirstTrades(
  symbol: MarketSymbol,
  time: EpochMs,
  {
    rest,
    clock,
    signal,
  }: { readonly rest: Rest; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<FirstTrades> {
  const asking = { priority: 'urgent', signal } as const;
  for (;;) {
    const page = await rest.aggTrades(symbol, { startTime: time }, asking);
    const first = page.trades[0];
    if (first !== undefined) return { id: first.aggTradeId, page };
    // No trade yet since then: it will be the one after the newest.
    const latest = (await rest.aggTrades(symbol, { limit: 1 }, asking)).trades.at(-1);
    if (latest === undefined) return { id: undefined, page };
    if (latest.tradeTime < time) return { id: latest.aggTradeId + 1, page };
    await clock.sleep(RETRY_MS, signal);
    signal.throwIfAborted();
  }
}

/** Like `first.id`, for a `time` later than the one asked for. */
export function firstIdFrom(time: EpochMs, { id, page }: FirstTrades): number | undefined {
  const last = page.trades.at(-1);
  if (last === undefined) return id;
  return page.trades.find(({ tradeTime }) => tradeTime >= time)?.aggTradeId ?? last.aggTradeId + 1;
}

// Refuses a question about a symbol that is not here, in one wording.
import type { MarketSymbol } from '../../core/market/symbol.ts';
import type { LiveMarket } from '../../stages/live-market.ts';
import { HttpError } from './error-body.ts';

/** `what` was asked for, e.g. `candles`. @throws HttpError `unknown-symbol` */
export function demandSymbol(
  market: Pick<LiveMarket, 'symbols'>,
  symbol: MarketSymbol,
  what: string,
): void {
  if (market.symbols().includes(symbol)) return;
  const message = `No ${what} of "${symbol}" here; /api/v1/symbols lists what is`;
  throw new HttpError(404, 'unknown-symbol', message);
}

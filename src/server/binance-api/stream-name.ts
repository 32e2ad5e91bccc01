// Names of streams: what `btcusdt@kline_1m` asks for, and whether it is offered here.
import { type Interval, isInterval } from '../../core/market/interval.ts';
import { type MarketSymbol, parseMarketSymbol } from '../../core/market/symbol.ts';

export type Stream =
  | { readonly type: 'aggTrade'; readonly name: string; readonly symbol: MarketSymbol }
  | {
      readonly type: 'kline';
      readonly name: string;
      readonly symbol: MarketSymbol;
      readonly interval: Interval;
    };

export interface StreamsOffered {
  readonly symbols: readonly MarketSymbol[];
  readonly intervals: readonly Interval[];
}

const KLINE = 'kline_';

/** Undefined where it is no stream of ours. Symbols are in lower case, as the exchange has it. */
export function parseStreamName(name: string, offered: StreamsOffered): Stream | undefined {
  const [lower = '', kind = '', ...rest] = name.split('@');
  const symbol = parseMarketSymbol(lower);
  if (rest.length > 0 || symbol === undefined || lower !== lower.toLowerCase()) return undefined;
  if (!offered.symbols.includes(symbol)) return undefined;
  if (kind === 'aggTrade') return { type: 'aggTrade', name, symbol };
  const interval = kind.startsWith(KLINE) ? kind.slice(KLINE.length) : '';
  if (!isInterval(interval) || !offered.intervals.includes(interval)) return undefined;
  return { type: 'kline', name, symbol, interval };
}

/** All of them, or what to tell the client. The exchange takes any name and stays silent; here it is said. */
export function parseStreamNames(
  names: readonly string[],
  offered: StreamsOffered,
): readonly Stream[] | string {
  const streams: Stream[] = [];
  for (const name of names) {
    const stream = parseStreamName(name, offered);
    if (stream === undefined) {
      const symbols = offered.symbols.slice(0, 10).map((symbol) => symbol.toLowerCase());
      return `stream "${name.slice(0, 100)}" is not offered; <symbol>@aggTrade and <symbol>@kline_<interval> are, of ${symbols.join(', ')}`;
    }
    streams.push(stream);
  }
  return streams;
}
